# The end of the script that asks a run to stop; before it stand the collection's IisRead.psm1 and IisLock.psm1, and a line
# that sets $stopped, the run's name (see script.py). It writes one line beside the configuration, and only where that run was
# here last: another one's name stays. The run looks there before its next commit.
$folder = Get-IisConfigFolder (Invoke-IisLook { Read-IisSharedPath })
$last = Read-IisRun $folder
if ($null -ne $last -and $last.run -ceq $stopped) {
    $last.how = 'ended-by'
    $last.other = $stopped
    Write-IisRun $folder $last
    'asked'
}
