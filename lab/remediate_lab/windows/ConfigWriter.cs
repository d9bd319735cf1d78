// Writing a file back: only what changed is cut into its text, and the whole replaces the old file at once.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;

namespace Microsoft.Web.Administration
{
    /// <summary>The text of a file with the changes of its nodes.</summary>
    internal sealed class ConfigWriter
    {
        private struct Edit
        {
            internal int At, Length;
            internal string Text;
        }

        private readonly ConfigFile file;
        private static readonly char[] LineEnds = { '\n', '\r' };
        private readonly string newLine;
        private readonly List<Edit> edits = new List<Edit>();

        private ConfigWriter(ConfigFile file)
        {
            this.file = file;
            int at = file.Text.IndexOfAny(LineEnds);
            newLine = at < 0 ? "\n" : file.Text[at] == '\n' ? "\n" : at + 1 < file.Text.Length && file.Text[at + 1] == '\n' ? "\r\n" : "\r";
        }

        /// <summary>The bytes to write, or null where nothing changes.</summary>
        internal static byte[] Render(ConfigFile file)
        {
            var writer = new ConfigWriter(file);
            writer.Collect(file.Root);
            if (writer.edits.Count == 0) { return null; }
            var text = new StringBuilder(file.Text);
            // From the end, so that places before stay right; at one place a cut goes before what is put there.
            foreach (Edit edit in writer.edits.OrderByDescending(edit => edit.At).ThenByDescending(edit => edit.Length))
            {
                text.Remove(edit.At, edit.Length).Insert(edit.At, edit.Text);
            }
            return file.Bytes.Take(file.Mark).Concat(file.Encoding.GetBytes(text.ToString())).ToArray();
        }

        private void Change(int at, int length, string text) { edits.Add(new Edit { At = at, Length = length, Text = text }); }

        private void Collect(ConfigNode node)
        {
            if (node.Removed)
            {
                Cut(node);
                return;
            }
            foreach (AttributeSpan span in node.Spans)
            {
                string value;
                if (!node.Values.TryGetValue(span.Name, out value)) { Change(span.Lead, span.End - span.Lead, ""); }
                else if (value != span.Original) { Change(span.Value, span.ValueEnd - span.Value, Escape(value, span.Quote)); }
            }
            int attributesEnd = node.Spans.Count > 0 ? node.Spans.Last().End : node.NameEnd;
            string added = string.Concat(node.Values.Where(pair => node.Spans.All(span => span.Name != pair.Key))
                .Select(pair => AttributeLead(node) + pair.Key + "=\"" + Escape(pair.Value, '"') + "\""));
            List<ConfigNode> born = node.Live.Where(child => child.IsNew).ToList();
            if (node.SelfClosing && born.Count > 0)
            {
                string body = OwnLine(node)
                    ? Lines(born, Indent(node) + Unit(node)) + newLine + Indent(node)
                    : string.Concat(born.Select(child => Element(child, null)));
                Change(attributesEnd, node.TagEnd - attributesEnd, added + ">" + body + "</" + node.Name + ">");
            }
            else
            {
                if (added.Length > 0) { Change(attributesEnd, 0, added); }
                InsertAll(node);
            }
            foreach (ConfigNode child in node.Children.Where(child => !child.IsNew)) { Collect(child); }
        }

        /// <summary>Cut an element out: with its line where it stands alone on it, else without what shares the line.</summary>
        private void Cut(ConfigNode node)
        {
            int from = node.Start, next = node.End;
            while (IsBlank(from - 1)) { from--; }
            while (IsBlank(next)) { next++; }
            bool first = file.Text[from - 1] == '\n';
            bool last = next == node.Parent.ContentEnd || file.Text[next] == '\r' || file.Text[next] == '\n';
            if (first && last) { from -= file.Text[from - 2] == '\r' ? 2 : 1; }
            else if (first) { from = node.Start; }
            Change(from, node.End - from, "");
        }

        /// <summary>Put the new children where they stand among those that the file keeps.</summary>
        private void InsertAll(ConfigNode node)
        {
            var born = new List<ConfigNode>();
            ConfigNode before = null;
            foreach (ConfigNode child in node.Live)
            {
                if (child.IsNew)
                {
                    born.Add(child);
                    continue;
                }
                Insert(node, before, child, born);
                born.Clear();
                before = child;
            }
            Insert(node, before, null, born);
        }

        /// <summary>Put new elements between two (or none), in the manner of the file: each on a line of its own, or all in one.</summary>
        private void Insert(ConfigNode node, ConfigNode before, ConfigNode after, List<ConfigNode> born)
        {
            if (born.Count == 0) { return; }
            bool oneLine = file.Text.IndexOfAny(LineEnds, node.TagEnd, node.ContentEnd - node.TagEnd) < 0;
            ConfigNode beside = before ?? after;
            if (beside != null && oneLine)
            {
                Change(before == null ? node.TagEnd : before.End, 0, string.Concat(born.Select(child => Element(child, null))));
                return;
            }
            int at = after == null ? node.ContentEnd : before == null ? node.TagEnd : BehindRemark(before.End);
            while (after == null && at > node.TagEnd && char.IsWhiteSpace(file.Text[at - 1])) { at--; }
            if (oneLine && !OwnLine(node))
            {
                Change(at, 0, string.Concat(born.Select(child => Element(child, null))));
                return;
            }
            string indent = beside != null ? Indent(beside) : Indent(node) + Unit(node);
            Change(at, 0, Lines(born, indent) + (oneLine ? newLine + Indent(node) : ""));
        }

        /// <summary>Past the comments that begin on the same line: they are about what they stand behind.</summary>
        private int BehindRemark(int at)
        {
            int next = at;
            while (IsBlank(next)) { next++; }
            if (string.CompareOrdinal(file.Text, next, "<!--", 0, 4) != 0) { return at; }
            return BehindRemark(file.Text.IndexOf("-->", next, StringComparison.Ordinal) + 3);
        }

        private bool IsBlank(int at) { return at >= 0 && at < file.Text.Length && (file.Text[at] == ' ' || file.Text[at] == '\t'); }

        private string Lines(IEnumerable<ConfigNode> nodes, string indent)
        {
            return string.Concat(nodes.Select(node => newLine + indent + Element(node, indent)));
        }

        private string Element(ConfigNode node, string indent)
        {
            string tag = "<" + node.Name + string.Concat(node.Values.Select(pair => " " + pair.Key + "=\"" + Escape(pair.Value, '"') + "\""));
            if (!node.Live.Any()) { return tag + " />"; }
            string inner = indent == null
                ? string.Concat(node.Live.Select(child => Element(child, null)))
                : Lines(node.Live, indent + Unit(node.Parent)) + newLine + indent;
            return tag + ">" + inner + "</" + node.Name + ">";
        }

        /// <summary>The space before the tag, where nothing else stands before it on its line.</summary>
        private string Indent(ConfigNode node)
        {
            return OwnLine(node) ? file.Text.Substring(LineStart(node), node.Start - LineStart(node)) : "";
        }

        /// <summary>Whether nothing but space stands before the tag on its line.</summary>
        private bool OwnLine(ConfigNode node)
        {
            int from = LineStart(node);
            return from == 0 || LineEnds.Contains(file.Text[from - 1]);
        }

        private int LineStart(ConfigNode node)
        {
            int from = node.Start;
            while (IsBlank(from - 1)) { from--; }
            return from;
        }

        /// <summary>What one step of depth is: seen at this node's first child, at the node itself, or else anywhere in the file.</summary>
        private string Unit(ConfigNode node)
        {
            while (node.IsNew) { node = node.Parent; }
            IEnumerable<ConfigNode> near = node.Children.Where(child => !child.IsNew).Take(1).Append(node).Where(child => child.Parent != null);
            foreach (ConfigNode child in near.Concat(Below(file.Root)))
            {
                string inner = Indent(child), outer = Indent(child.Parent);
                if (inner.Length > outer.Length && inner.StartsWith(outer, StringComparison.Ordinal)) { return inner.Substring(outer.Length); }
            }
            return "    ";
        }

        /// <summary>All that the file has below a node, in its order.</summary>
        private static IEnumerable<ConfigNode> Below(ConfigNode node)
        {
            return node.Children.Where(child => !child.IsNew).SelectMany(child => new[] { child }.Concat(Below(child)));
        }

        private string AttributeLead(ConfigNode node)
        {
            if (node.Spans.Count == 0) { return " "; }
            AttributeSpan last = node.Spans.Last();
            string lead = file.Text.Substring(last.Lead, last.End - last.Lead);
            lead = lead.Substring(0, lead.Length - lead.TrimStart().Length);
            return lead.IndexOf('\n') >= 0 ? lead : " ";
        }

        private string Escape(string value, char quote)
        {
            var text = new StringBuilder();
            for (int index = 0; index < value.Length; index++)
            {
                char one = value[index];
                string whole = char.IsHighSurrogate(one) && index + 1 < value.Length ? value.Substring(index++, 2) : one.ToString();
                if (one == '&') { text.Append("&amp;"); }
                else if (one == '<') { text.Append("&lt;"); }
                else if (one == '>') { text.Append("&gt;"); }
                else if (one == quote) { text.Append(quote == '"' ? "&quot;" : "&apos;"); }
                else if (one >= ' ' && CanEncode(whole)) { text.Append(whole); }
                else { text.Append("&#x" + char.ConvertToUtf32(whole, 0).ToString("X", CultureInfo.InvariantCulture) + ";"); }
            }
            return text.ToString();
        }

        private bool CanEncode(string one)
        {
            try { return file.Encoding.GetByteCount(one) > 0; }
            catch (EncoderFallbackException) { return false; }
        }

        /// <summary>Replace a file at once: readers see the old one or the new one. Its mode is kept.</summary>
        internal static void Replace(string path, byte[] bytes)
        {
            string fresh = path + "." + Guid.NewGuid().ToString("N") + ".tmp";
            try
            {
                // Someone who holds the file open keeps it, as on Windows; on Linux a rename would not ask.
                using (Lab.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, 0.5)) { }
                File.WriteAllBytes(fresh, bytes);
                if (!OperatingSystem.IsWindows()) { File.SetUnixFileMode(fresh, File.GetUnixFileMode(path)); }
                File.Move(fresh, path, true);
            }
            catch (UnauthorizedAccessException) { File.Delete(fresh); throw Errors.Denied(path, "write"); }
            catch (IOException) { File.Delete(fresh); throw Errors.InUse(path, "write"); }
        }
    }

    /// <summary>One commit: compare with what was read, then write, now or late; no other commit in between.</summary>
    internal sealed class Commit
    {
        private static readonly List<Commit> Late = new List<Commit>();

        private readonly string path;
        private readonly byte[] expected, bytes;

        private Commit(string path, byte[] expected, byte[] bytes) { this.path = path; this.expected = expected; this.bytes = bytes; }

        internal static void Run(ConfigFile file, Lab lab)
        {
            FlushLate();
            var commit = new Commit(file.Path, file.Bytes, ConfigWriter.Render(file));
            using (commit.Lock())
            {
                lab.BeforeCommit(file.Path);
                if (!ConfigFile.ReadBytes(file.Path).SequenceEqual(file.Bytes)) { throw Errors.Changed(file.Path); }
                if (commit.bytes != null && lab.CommitDelay == 0) { ConfigWriter.Replace(file.Path, commit.bytes); }
            }
            if (commit.bytes != null && lab.CommitDelay > 0) { commit.WriteLate(lab.CommitDelay); }
            lab.AfterCommit();
        }

        /// <summary>
        /// The file changes later than the call returns; that is known of IIS, how it comes about is not. Here a thread writes.
        /// The end of the process, and the next commit in it, do not wait for the time and lose nothing.
        /// </summary>
        private void WriteLate(int delay)
        {
            lock (Late)
            {
                if (Late.Count == 0) { AppDomain.CurrentDomain.ProcessExit += (sender, args) => FlushLate(); }
                Late.Add(this);
            }
            new Thread(() => { Thread.Sleep(delay); WriteIfLate(); }).Start();
        }

        private static void FlushLate()
        {
            List<Commit> all;
            lock (Late) { all = Late.ToList(); }
            all.ForEach(commit => commit.WriteIfLate());
        }

        /// <summary>Another process may have written meanwhile: its edit stands, and this one is lost.</summary>
        private void WriteIfLate()
        {
            lock (Late)
            {
                if (!Late.Remove(this)) { return; }
                using (Lock()) { if (ConfigFile.ReadBytes(path).SequenceEqual(expected)) { ConfigWriter.Replace(path, bytes); } }
            }
        }

        /// <summary>Held while comparing and writing; anything else in the lab that writes the file takes it too (flock).</summary>
        private FileStream Lock()
        {
            try { return Lab.Exclusive(path + ".lock"); }
            catch (UnauthorizedAccessException) { throw Errors.Denied(path, "write"); }
        }
    }
}
