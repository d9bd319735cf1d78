// What Windows' own System.Diagnostics.Eventing.Reader does, as far as the scripts ask for it: .NET has none of it here.
//
// The events are in %windir%\System32\winevt\Logs\LOG.xml, in the order of their records, as `wevtutil qe LOG /f:xml
// /e:Events` prints them; a log without a file is empty. lab.txt: event_log=LOG:FAULT, once for each log (see
// lab/remediate_lab/knobs.py). No provider's texts are installed: whoever asks for a description gets an exception.
// Who does not dispose a record gets one too.

using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using System.Xml;

namespace System.Diagnostics.Eventing.Reader
{
    public enum PathType { LogName = 1, FilePath = 2 }

    public class EventLogException : Exception { public EventLogException(string message) : base(message) { } }

    public class EventLogNotFoundException : EventLogException { public EventLogNotFoundException(string message) : base(message) { } }

    public class EventLogReadingException : EventLogException { public EventLogReadingException(string message) : base(message) { } }

    public class EventLogInvalidDataException : EventLogException { public EventLogInvalidDataException(string message) : base(message) { } }

    public class EventLogQuery
    {
        // Published reports: with 20 conditions or more Windows refuses a query.
        private const int MostConditions = 19;
        private static readonly Regex Since = new Regex(@"TimeCreated\[@SystemTime>='([^']+)'\]");

        public EventLogQuery(string path, PathType pathType, string query)
        {
            if (pathType != PathType.LogName) { throw new NotSupportedException("The lab's EventLogQuery knows logs only"); }
            if (Regex.Matches(query, "[<>]?=").Count > MostConditions) { throw new EventLogException("The specified query is invalid."); }
            Path = path;
            Query = query;
        }

        public bool ReverseDirection { get; set; }

        internal string Path { get; private set; }
        private string Query { get; set; }

        /// <summary>Whether an event is asked for. Windows' XPath compares times; that of .NET does not.</summary>
        internal bool Takes(string xml)
        {
            var document = new XmlDocument();
            document.Load(new XmlTextReader(new StringReader(xml)) { Namespaces = false });
            if (document.SelectSingleNode(Since.Replace(Query, "TimeCreated")) == null) { return false; }
            Match since = Since.Match(Query);
            return !since.Success || string.CompareOrdinal(Second(document.SelectSingleNode("//TimeCreated/@SystemTime").Value), Second(since.Groups[1].Value)) >= 0;
        }

        private static string Second(string time) { return time.Length < 19 ? time : time.Substring(0, 19); }
    }

    public class EventLogReader : IDisposable
    {
        private readonly EventLog log;
        private readonly Queue<string> events;
        private EventRecord last;
        private int read;

        public EventLogReader(EventLogQuery eventQuery)
        {
            log = new EventLog(eventQuery.Path);
            if (log.Fault == "denied") { throw new UnauthorizedAccessException("Attempted to perform an unauthorized operation."); }
            IEnumerable<string> found = log.Events().Where(eventQuery.Takes);
            events = new Queue<string>(eventQuery.ReverseDirection ? found.Reverse() : found);
        }

        /// <summary>The next event, or null at the end. Once it has thrown, it throws for ever: it does not move on.</summary>
        public EventRecord ReadEvent()
        {
            EnsureDisposed();
            if (events.Count == 0) { return null; }
            if (read >= log.FaultAfter)
            {
                if (log.Fault == "cleared") { throw new EventLogReadingException("The query result is stale and must be recreated."); }
                if (log.Fault == "corrupt") { throw new EventLogInvalidDataException("The data is invalid."); }
            }
            string xml = events.Dequeue();
            bool whole = log.Fault != "garbled" || read != log.FaultAfter;
            read++;
            return last = new EventRecord(whole ? xml : null);
        }

        public void Dispose() { EnsureDisposed(); }

        private void EnsureDisposed()
        {
            if (last != null && !last.Disposed) { throw new InvalidOperationException("The lab's EventLogReader: the last record was not disposed"); }
        }
    }

    public class EventRecord : IDisposable
    {
        private readonly string xml;

        internal EventRecord(string xml) { this.xml = xml; }

        internal bool Disposed { get; private set; }

        public string ToXml()
        {
            if (xml == null) { throw new EventLogException("The event cannot be rendered."); }
            return xml;
        }

        public string FormatDescription() { throw new EventLogNotFoundException("The resource for the message is not there."); }

        public void Dispose() { Disposed = true; }
    }

    public class EventLogConfiguration : IDisposable
    {
        public EventLogConfiguration(string logName) { IsEnabled = new EventLog(logName).Fault != "disabled"; }

        public bool IsEnabled { get; private set; }

        public void Dispose() { }
    }

    /// <summary>One log of this server, and what lab.txt wants to be wrong with it.</summary>
    internal sealed class EventLog
    {
        private static readonly string[] Faults = { "", "denied", "missing", "disabled", "cleared", "corrupt", "garbled" };
        private readonly string file;

        internal EventLog(string name)
        {
            string windows = Environment.GetEnvironmentVariable("windir");
            file = Path.Combine(windows, "System32", "winevt", "Logs", name + ".xml");
            Fault = "";
            foreach (string line in File.ReadAllLines(Path.Combine(windows, "lab.txt")))
            {
                string[] parts = line.Split('=', ':').Select(part => part.Trim()).ToArray();
                if (parts.Length < 3 || parts[0] != "event_log" || parts[1] != name) { continue; }
                Fault = parts[2];
                FaultAfter = parts.Length < 4 ? 0 : int.Parse(parts[3]);
            }
            if (!Faults.Contains(Fault)) { throw new NotSupportedException("lab.txt: event_log=" + name + ":" + Fault + " is not known"); }
            if (Fault == "missing" || (name != "System" && name != "Application"))
            {
                throw new EventLogNotFoundException("The specified channel could not be found.");
            }
        }

        internal string Fault { get; private set; }

        /// <summary>So many events of each reading are whole.</summary>
        internal int FaultAfter { get; private set; }

        internal List<string> Events()
        {
            if (!File.Exists(file)) { return new List<string>(); }
            var document = new XmlDocument();
            document.Load(file);
            return document.DocumentElement.ChildNodes.Cast<XmlNode>().Where(node => node.LocalName == "Event").Select(node => node.OuterXml).ToList();
        }
    }
}
