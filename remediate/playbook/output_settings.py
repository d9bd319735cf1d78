"""What ansible.cfg and the environment say of Ansible's output and of tags, as it must be for a run of ours.

Its output is kept in a log that few read; but a callback plugin that is not installed, or a debugger that waits for an
answer, ends or holds the run. All options of the callback plugin `default` are here, so that a wrong value of one of
them is none of our run's business. A plain ansible-playbook keeps the user's settings, and other callback plugins
(`callbacks_enabled`) go on in our runs too: they may be somebody's audit trail. Tags that are skipped for other
playbooks would leave out all that ours do.
"""

OUTPUT = {
    "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
    "ANSIBLE_CALLBACK_FORMAT_PRETTY": "0",
    "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
    "ANSIBLE_CALLBACK_RESULT_INDENTATION": "4",
    "ANSIBLE_CALLBACK_YAML_LINE_WIDTH": "default",
    "ANSIBLE_CHECK_MODE_MARKERS": "0",
    "ANSIBLE_DISPLAY_FAILED_STDERR": "0",
    "ANSIBLE_DISPLAY_INCLUDED_HOSTS": "1",
    "ANSIBLE_DISPLAY_OK_HOSTS": "1",
    "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "1",
    "ANSIBLE_SHOW_CUSTOM_STATS": "0",
    "ANSIBLE_SHOW_PER_HOST_START": "0",
    "ANSIBLE_SHOW_TASK_PATH_ON_FAILURE": "0",
    "ANSIBLE_DEBUG": "0",
    "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "0",
    "ANSIBLE_DISPLAY_TRACEBACK": "never",
    "ANSIBLE_ENABLE_TASK_DEBUGGER": "0",
    "ANSIBLE_FORCE_COLOR": "0",
    "ANSIBLE_NOCOLOR": "1",
    "ANSIBLE_NOCOWS": "1",
    "ANSIBLE_RETRY_FILES_ENABLED": "0",
    "ANSIBLE_RUN_TAGS": "all",
    "ANSIBLE_SKIP_TAGS": "",
    "ANSIBLE_VERBOSITY": "0",
}
