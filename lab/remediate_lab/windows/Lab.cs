// What this server's lab.txt says (a "key=value" a line, "#" a comment, in %windir%): which answer the
// stand-in plays where the real one is not known, and which faults. All that is invented here is played
// only when a key asks for it. The keys are in Lab.Keys, and "stopped=NAME", once for each stopped pool;
// other keys are for other parts of the lab.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;

namespace Microsoft.Web.Administration
{
    internal sealed class Lab
    {
        private static readonly Dictionary<string, string> Keys = new Dictionary<string, string>
        {
            ["inherited_from_defaults"] = "false",  // or true: IsInheritedFromDefaultValue of a value that comes from a defaults element
            ["keep_schema_default"] = "true",       // or false: does setting a value that equals the schema's default write the attribute
            ["delete_leaves"] = "empty_element",    // or nothing: what is left of an element that Delete made empty
            ["timespan_default"] = "ticks",         // or timespan: the type of Schema.DefaultValue of a time span
            ["schema_default"] = "given",           // or throws: what Schema.DefaultValue does
            ["illegal_names"] = "refused",          // or read: a pool's name in the file with characters that IIS forbids
            ["leading_space"] = "read",             // or refused: a pool's name that begins with a space
            ["sites_defaults"] = "schema",          // or wide: sites/applicationDefaults may hold preloadEnabled
            ["changed_hresult"] = "0x800703EE",     // the code of "the file has changed on disk"
            ["commit_delay_ms"] = "0",              // the file changes that much after CommitChanges has returned
            ["deny_read"] = "false",                // not an administrator
            ["deny_share"] = "false",               // the caller cannot go on to the share of a shared configuration
            ["fail_commit"] = "",                   // changed:N, in_use:N (the first N commits of this server), or denied
            ["busy_after_commit"] = "",             // in_use:N or missing:N: so many looks at the configuration after a commit find it so
            ["on_commit"] = "",                     // a file: someone saves its content over the configuration, once, just before a commit
            ["count_calls"] = "false",              // true: note in calls.log how often a manager was called before it was disposed
            // Not switches: who the server is, for the others that read this file.
            ["computer"] = "", ["domain"] = "", ["windows_version"] = "", ["iis_version"] = "",
            ["after_commit"] = "",                  // hang for as long as it says so, or exit (code 9): the process is gone between write and proof
        };

        internal readonly string Windows;
        private readonly Dictionary<string, string> settings = new Dictionary<string, string>(Keys);
        private readonly HashSet<string> stopped = new HashSet<string>(StringComparer.OrdinalIgnoreCase);

        private Lab()
        {
            // Names of variables have a case on Linux.
            Windows = new[] { "windir", "WINDIR", "SystemRoot", "SYSTEMROOT" }
                .Select(Environment.GetEnvironmentVariable).FirstOrDefault(value => !string.IsNullOrEmpty(value));
            if (Windows == null) { throw new InvalidOperationException("Neither windir nor SystemRoot is set: this server has no Windows folder"); }
            string file = Path.Combine(Windows, "lab.txt");
            foreach (string line in File.Exists(file) ? File.ReadAllLines(file) : new string[0])
            {
                if (line.Length == 0 || line[0] == '#') { continue; }
                int at = line.IndexOf('=');
                if (at < 0) { throw new InvalidOperationException(file + ": not key=value: " + line); }
                string key = line.Substring(0, at).Trim(), value = line.Substring(at + 1).Trim();
                if (key == "stopped") { stopped.Add(value); }
                else if (settings.ContainsKey(key)) { settings[key] = value; }
            }
        }

        /// <summary>The server's settings as the newest ServerManager found them; a process serves one server.</summary>
        internal static Lab Current { get; private set; }

        internal static Lab Read() { return Current = new Lab(); }

        internal bool InheritedFromDefaults { get { return Is("inherited_from_defaults", "true", "false"); } }
        internal bool KeepSchemaDefault { get { return Is("keep_schema_default", "true", "false"); } }
        internal bool DeleteLeavesNothing { get { return Is("delete_leaves", "nothing", "empty_element"); } }
        internal bool TimeSpanDefaultIsTimeSpan { get { return Is("timespan_default", "timespan", "ticks"); } }
        internal bool SchemaDefaultThrows { get { return Is("schema_default", "throws", "given"); } }
        internal bool CountCalls { get { return Is("count_calls", "true", "false"); } }
        internal bool IllegalNamesAreRead { get { return Is("illegal_names", "read", "refused"); } }
        internal bool LeadingSpaceIsRead { get { return Is("leading_space", "read", "refused"); } }
        internal bool WideSitesDefaults { get { return Is("sites_defaults", "wide", "schema"); } }
        internal bool DenyRead { get { return Is("deny_read", "true", "false"); } }
        internal bool DenyShare { get { return Is("deny_share", "true", "false"); } }
        internal int ChangedHResult { get { return Convert.ToInt32(settings["changed_hresult"], 16); } }
        internal int CommitDelay { get { return int.Parse(settings["commit_delay_ms"], CultureInfo.InvariantCulture); } }

        /// <summary>For a member that the real assembly has, and this one does not play: it must not answer.</summary>
        internal static NotSupportedException Unsupported(string member)
        {
            return new NotSupportedException("The lab's Microsoft.Web.Administration does not offer " + member);
        }

        /// <summary>So many calls that would go into IIS's native code since the last one was noted.</summary>
        internal static int Calls;

        // Pools: what runs is no part of the configuration.

        internal ObjectState State(string pool)
        {
            bool running = !stopped.Contains(pool);
            string log = Path.Combine(Windows, "states.log");
            foreach (string line in File.Exists(log) ? File.ReadAllLines(log) : new string[0])
            {
                if (string.Equals(line.Substring(line.IndexOf('=') + 1), pool, StringComparison.OrdinalIgnoreCase)) { running = line[0] == '+'; }
            }
            return running ? ObjectState.Started : ObjectState.Stopped;
        }

        internal ObjectState SetState(string pool, bool run)
        {
            Append("states.log", (run ? "+=" : "-=") + pool);
            return run ? ObjectState.Started : ObjectState.Stopped;
        }

        internal void Append(string log, string line)
        {
            using (FileStream stream = Exclusive(Path.Combine(Windows, log)))
            {
                stream.Seek(0, SeekOrigin.End);
                byte[] bytes = new System.Text.UTF8Encoding(false).GetBytes(line + "\n");
                stream.Write(bytes, 0, bytes.Length);
            }
        }

        // Faults.

        /// <summary>Just before the file is compared: whatever lab.txt wants to go wrong there.</summary>
        internal void BeforeCommit(string path)
        {
            string other = settings["on_commit"];
            if (other.Length > 0 && Count("on_commit") == 0) { ConfigWriter.Replace(path, File.ReadAllBytes(other)); }
            string[] fault = settings["fail_commit"].Split(':');
            if (fault[0].Length == 0) { return; }
            if (fault[0] == "denied") { throw Errors.Denied(path, "write"); }
            if (fault[0] != "changed" && fault[0] != "in_use") { throw new InvalidOperationException("lab.txt: fail_commit=" + fault[0]); }
            if (Count("fail_commit") >= (fault.Length < 2 ? 1 : int.Parse(fault[1], CultureInfo.InvariantCulture))) { return; }
            throw fault[0] == "changed" ? Errors.Changed(path) : Errors.InUse(path, "write");
        }

        /// <summary>Just before the configuration is read.</summary>
        internal void BeforeRead(string path)
        {
            string[] fault = settings["busy_after_commit"].Split(':');
            if (fault[0].Length == 0 || Path.GetFileName(path) != "applicationHost.config" || !File.Exists(Path.Combine(Windows, "lab.committed"))) { return; }
            if (fault[0] != "in_use" && fault[0] != "missing") { throw new InvalidOperationException("lab.txt: busy_after_commit=" + fault[0]); }
            if (Count("busy_after_commit") >= int.Parse(fault[1], CultureInfo.InvariantCulture)) { return; }
            throw fault[0] == "in_use" ? Errors.InUse(path, "read") : Errors.Missing(path, false);
        }

        internal void AfterCommit()
        {
            if (settings["busy_after_commit"].Length > 0) { File.WriteAllText(Path.Combine(Windows, "lab.committed"), ""); }
            switch (settings["after_commit"])
            {
                case "": return;
                case "hang": while (new Lab().settings["after_commit"] == "hang") { Thread.Sleep(50); } return;
                case "exit": Environment.Exit(9); return;
                default: throw new InvalidOperationException("lab.txt: after_commit=" + settings["after_commit"]);
            }
        }

        /// <summary>How often this was asked before, by any process of this server.</summary>
        private int Count(string what)
        {
            using (FileStream stream = Exclusive(Path.Combine(Windows, "lab." + what + ".count")))
            {
                int before = (int)stream.Length;
                stream.Seek(0, SeekOrigin.End);
                stream.WriteByte((byte)'.');
                return before;
            }
        }

        /// <summary>Open a file for this process alone.</summary>
        internal static FileStream Exclusive(string path) { return Open(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 30); }

        /// <summary>Open a file, and where others hold it (.NET takes flock on Linux), wait for so many seconds.</summary>
        internal static FileStream Open(string path, FileMode mode, FileAccess access, FileShare share, double seconds)
        {
            for (DateTime until = DateTime.UtcNow.AddSeconds(seconds); ; Thread.Sleep(10))
            {
                try { return new FileStream(path, mode, access, share); }
                catch (IOException error)
                {
                    if (error is FileNotFoundException || error is DirectoryNotFoundException || DateTime.UtcNow > until) { throw; }
                }
            }
        }

        private bool Is(string key, string yes, string no)
        {
            if (settings[key] == yes) { return true; }
            if (settings[key] == no) { return false; }
            throw new InvalidOperationException("lab.txt: " + key + " is " + yes + " or " + no);
        }
    }

    /// <summary>
    /// IIS's errors. The types and texts are known. The runtime makes the type from the code, so a code that gives
    /// another type is excluded; where that leaves more than one, it says so.
    /// </summary>
    internal static class Errors
    {
        private const int InvalidData = unchecked((int)0x8007000D);

        /// <summary>
        /// Known: a FileLoadException, out of native code, so the runtime made the type from the code. It does so for few codes,
        /// and which of them this is, is not known. 0x800703EE (a file that was altered from outside) is one; see lab.txt.
        /// </summary>
        internal static Exception Changed(string path)
        {
            string text = Text(path, 0, "Cannot commit configuration changes because the file has changed on disk");
            return new FileLoadException(text) { HResult = Lab.Current.ChangedHResult };
        }

        /// <summary>0x80070020 is known, and becomes a FileLoadException.</summary>
        internal static Exception InUse(string path, string action)
        {
            return new FileLoadException(Text(path, 0, "Cannot " + action + " configuration file")) { HResult = unchecked((int)0x80070020) };
        }

        internal static Exception Denied(string path, string action)
        {
            string text = Text(path, 0, "Cannot " + action + " configuration file due to insufficient permissions");
            return new UnauthorizedAccessException(text) { HResult = unchecked((int)0x80070005) };
        }

        internal static Exception Missing(string path, bool folder)
        {
            string text = Text(path, 0, "Cannot read configuration file");
            if (folder) { return new DirectoryNotFoundException(text) { HResult = unchecked((int)0x80070003) }; }
            return new FileNotFoundException(text) { HResult = unchecked((int)0x80070002) };
        }

        /// <summary>A file that IIS cannot take. That the code is 0x8007000D is known from IIS's own error pages.</summary>
        internal static Exception Bad(string path, int line, string error) { return new COMException(Text(path, line, error), InvalidData); }

        /// <summary>Known: one key that is the same is enough, all of them are named, and the code is that of IIS's error pages.</summary>
        internal static Exception Duplicate(string path, int line, ConfigNode node, ConfigurationElementSchema schema)
        {
            string[] keys = schema.AttributeSchemas.Where(attribute => attribute.IsUniqueKey).Select(attribute => attribute.Name).ToArray();
            string names = string.Join(", ", keys), values = string.Join(", ", keys.Select(key => node.Values[key]));
            string of = keys.Length == 1 ? " attribute '" + names + "' set to '" : " attributes '" + names + "' respectively set to '";
            string error = "Cannot add duplicate collection entry of type '" + node.Name + "' with unique key" + of + values + "'";
            return new COMException(Text(path, line, error), unchecked((int)0x800700B7));
        }

        /// <summary>Known: what adding an item without a required attribute gives, with no file; the type makes the code.</summary>
        internal static Exception Incomplete(IEnumerable<string> names)
        {
            string text = Text("", 0, "Element is missing required attributes " + string.Join(",", names));
            return new FileNotFoundException(text) { HResult = unchecked((int)0x80070002) };
        }

        /// <summary>
        /// A value that IIS does not take. That the code is 0x8007000D is known for a pool's name, from an error that somebody
        /// reported; for the others it is not known, and the type excludes 0x80070057.
        /// </summary>
        internal static Exception BadValue(string reason) { return new COMException(reason + "\r\n", InvalidData); }

        /// <summary>Known: what asking for an attribute gives that this version of IIS does not have.</summary>
        internal static Exception NoSuchName()
        {
            return new COMException("Invalid index. (Exception from HRESULT: 0x80070585)", unchecked((int)0x80070585));
        }

        /// <summary>Known: what anything got from a manager says once that manager has committed.</summary>
        internal static Exception Committed()
        {
            return new InvalidOperationException("The configuration object is read only, because it has been committed by a call to "
                + "ServerManager.CommitChanges(). If write access is required, use ServerManager to get a new reference.");
        }

        private static string Text(string path, int line, string error)
        {
            string place = line > 0 ? "Line number: " + line.ToString(CultureInfo.InvariantCulture) + "\r\n" : "";
            return "Filename: " + (path.Length > 0 ? "\\\\?\\" + path : "") + "\r\n" + place + "Error: " + error + "\r\n\r\n";
        }
    }
}
