// One configuration file as it was read: its bytes, its text, and where in the text each tag and attribute stands.
//
// The rule: a place in the text is taken from the scanner below, a name or a value from XmlReader, and the two
// must agree on every tag. So an edit can be cut into the text, and the rest of the file stays as it is.

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Xml;

namespace Microsoft.Web.Administration
{
    /// <summary>An attribute in the text: Lead is where the space before it begins, Value to ValueEnd is between the quotes.</summary>
    internal sealed class AttributeSpan
    {
        internal string Name, Original;
        internal int Lead, Value, ValueEnd, End;
        internal char Quote;
    }

    internal sealed class ConfigNode
    {
        internal readonly string Name;
        internal ConfigNode Parent;
        internal readonly List<ConfigNode> Children = new List<ConfigNode>();
        internal readonly List<AttributeSpan> Spans = new List<AttributeSpan>();

        /// <summary>The attributes as they are to be; Spans has them as they were.</summary>
        internal readonly Dictionary<string, string> Values = new Dictionary<string, string>(StringComparer.Ordinal);

        /// <summary>Where the tag begins, its name ends, it ends; where the end tag begins (or the tag ends), and where all ends.</summary>
        internal int Start, NameEnd, TagEnd, ContentEnd, End;
        internal int Line;
        internal bool SelfClosing, IsNew, Removed;

        internal ConfigNode(string name, ConfigNode parent) { Name = name; Parent = parent; }

        internal IEnumerable<ConfigNode> Live { get { return Children.Where(child => child.IsNew ? child.HasContent : !child.Removed); } }
        internal bool HasContent { get { return Values.Count > 0 || Live.Any(); } }
        internal bool IsPresent { get { return IsNew ? HasContent : !Removed; } }

        internal ConfigNode Child(string name) { return Children.FirstOrDefault(child => child.Name == name); }

        internal ConfigNode ChildOrNew(string name)
        {
            ConfigNode child = Child(name);
            if (child == null)
            {
                child = new ConfigNode(name, this) { IsNew = true };
                Children.Add(child);
            }
            child.Removed = false;
            return child;
        }

        /// <summary>Put a new node among the children.</summary>
        internal void Insert(int index, ConfigNode child)
        {
            child.Parent = this;
            child.IsNew = true;
            Children.Insert(index, child);
        }

        /// <summary>A new last child with these attributes (name, value, ...), whether or not the schema knows it.</summary>
        internal ConfigNode Append(string name, params string[] attributes)
        {
            var child = new ConfigNode(name, this);
            Insert(Children.Count, child);
            for (int index = 0; index < attributes.Length; index += 2) { child.Values[attributes[index]] = attributes[index + 1]; }
            return child;
        }

        /// <summary>Take this node away from its parent: a new one is forgotten, one of the file is cut out of it later.</summary>
        internal void Take()
        {
            if (IsNew) { Parent.Children.Remove(this); }
            Removed = true;
        }
    }

    internal sealed class ConfigFile
    {
        internal readonly string Path;
        internal readonly byte[] Bytes;
        internal readonly Encoding Encoding;
        internal readonly int Mark;
        internal readonly string Text;
        internal readonly ConfigNode Root;

        private int position;

        internal ConfigFile(string path)
        {
            Path = path;
            Bytes = ReadBytes(path);
            Encoding = Detect(out Mark);
            try { Text = Encoding.GetString(Bytes, Mark, Bytes.Length - Mark); }
            catch (DecoderFallbackException) { throw NotWellFormed(1); }
            Root = Parse();
            // IIS's text for another root is not known.
            if (Root.Name != "configuration") { throw Errors.Bad(path, Root.Line, "Unrecognized element '" + Root.Name + "'"); }
        }

        /// <summary>Read; who writes from then on is found out on commit.</summary>
        internal static byte[] ReadBytes(string path)
        {
            try
            {
                using (FileStream stream = Lab.Open(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0.5))
                using (var copy = new MemoryStream())
                {
                    stream.CopyTo(copy);
                    return copy.ToArray();
                }
            }
            catch (FileNotFoundException) { throw Errors.Missing(path, false); }
            catch (DirectoryNotFoundException) { throw Errors.Missing(path, true); }
            catch (UnauthorizedAccessException) { throw Errors.Denied(path, "read"); }
            catch (IOException) { throw Errors.InUse(path, "read"); }
        }

        /// <summary>
        /// The node of a section, outside locations or in one for the whole server (path "", "." or none), or null. Not known: what
        /// IIS makes of a section that comes twice, or whose location is a part of the server; here both are errors.
        /// </summary>
        internal ConfigNode Section(string path)
        {
            string[] names = path.Split('/');
            ConfigNode found = null;
            foreach (ConfigNode scope in new[] { Root }.Concat(Named(Root, "location")))
            {
                if (scope != Root) { CheckLocation(scope); }
                foreach (ConfigNode node in names.Aggregate((IEnumerable<ConfigNode>)new[] { scope }, (nodes, name) => nodes.SelectMany(one => Named(one, name))))
                {
                    string where;
                    bool whole = scope == Root || !scope.Values.TryGetValue("path", out where) || where == "" || where == ".";
                    if (!whole && names[0] != "system.applicationHost") { continue; }
                    if (!whole) { throw Errors.Bad(Path, node.Line, "The section '" + path + "' is not allowed in this location"); }
                    if (found != null) { throw Errors.Bad(Path, node.Line, "Config section '" + path + "' already defined"); }
                    found = node;
                }
            }
            return found;
        }

        /// <summary>The children of that name. One whose name differs by case alone is no element that IIS knows.</summary>
        private IEnumerable<ConfigNode> Named(ConfigNode node, string name)
        {
            if (node.Values.ContainsKey("xmlns")) { throw Errors.Bad(Path, node.Line, "Unrecognized attribute 'xmlns'"); }
            foreach (ConfigNode child in node.Children.Where(child => !child.Removed))
            {
                if (child.Name == name) { yield return child; }
                else if (string.Equals(child.Name, name, StringComparison.OrdinalIgnoreCase))
                {
                    throw Errors.Bad(Path, child.Line, "Unrecognized element '" + child.Name + "'");
                }
            }
        }

        private void CheckLocation(ConfigNode location)
        {
            foreach (string name in location.Values.Keys.Where(key => key != "path" && string.Equals(key, "path", StringComparison.OrdinalIgnoreCase)))
            {
                throw Errors.Bad(Path, location.Line, "Unrecognized attribute '" + name + "'");
            }
        }

        /// <summary>Whether an element holds nothing but space and elements: no comment that would be lost with it.</summary>
        internal bool IsBare(ConfigNode node)
        {
            var content = new StringBuilder();
            int from = node.TagEnd;
            foreach (ConfigNode child in node.Children.Where(child => !child.IsNew))
            {
                content.Append(Text, from, child.Start - from);
                from = child.End;
            }
            return string.IsNullOrWhiteSpace(content.Append(Text, from, node.ContentEnd - from).ToString());
        }

        private Encoding Detect(out int mark)
        {
            Func<int, byte> at = index => index < Bytes.Length ? Bytes[index] : (byte)1;
            bool wide = (at(0) == 0xFF && at(1) == 0xFE) || (at(0) == 0xFE && at(1) == 0xFF);
            mark = at(0) == 0xEF && at(1) == 0xBB && at(2) == 0xBF ? 3 : wide ? 2 : 0;
            bool little = at(0) == 0xFF || (at(0) == '<' && at(1) == 0);
            if (little || at(0) == 0xFE || (at(0) == 0 && at(1) == '<')) { return Agreeing(new UnicodeEncoding(!little, mark > 0, true), "utf-16", mark); }
            if (mark == 3) { return Agreeing(new UTF8Encoding(true, true), "utf-8", mark); }
            string declared = Declared(Encoding.Latin1, mark);
            if (declared == null || declared == "utf-8") { return new UTF8Encoding(false, true); }
            // As XmlDocument has it: without a mark or two bytes for a letter it cannot be.
            if (declared.StartsWith("utf-16", StringComparison.Ordinal)) { throw NotWellFormed(1); }
            try { return Encoding.GetEncoding(declared, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback); }
            catch (ArgumentException) { throw NotWellFormed(1); }
        }

        /// <summary>What the mark or the first bytes say, where the declaration does not say otherwise.</summary>
        private Encoding Agreeing(Encoding encoding, string name, int mark)
        {
            string declared = Declared(name == "utf-8" ? Encoding.Latin1 : encoding, mark);
            if (declared == null || declared == name) { return encoding; }
            throw NotWellFormed(1);
        }

        private string Declared(Encoding encoding, int mark)
        {
            string head;
            try { head = encoding.GetString(Bytes, mark, Math.Min(1024, Bytes.Length - mark)); }
            catch (DecoderFallbackException) { return null; }
            int end = head.StartsWith("<?xml", StringComparison.Ordinal) ? head.IndexOf("?>", StringComparison.Ordinal) : -1;
            int name = end < 0 ? -1 : head.IndexOf("encoding", 0, end, StringComparison.Ordinal);
            string[] quoted = name < 0 ? new string[0] : head.Substring(name, end - name).Split('"', '\'');
            return quoted.Length < 2 ? null : quoted[1].ToLowerInvariant();
        }

        private Exception NotWellFormed(int line) { return Errors.Bad(Path, line, "Configuration file is not well-formed XML"); }

        private ConfigNode Parse()
        {
            ConfigNode root = null, open = null;
            try
            {
                // A document type declaration is refused here. What IIS does with one is not known.
                using (XmlReader reader = XmlReader.Create(new StringReader(Text), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit }))
                {
                    while (reader.Read())
                    {
                        if (reader.NodeType == XmlNodeType.Element)
                        {
                            var node = new ConfigNode(reader.Name, open) { Line = ((IXmlLineInfo)reader).LineNumber };
                            ScanTag(node);
                            ReadAttributes(reader, node);
                            if (open == null) { root = node; } else { open.Children.Add(node); }
                            if (!node.SelfClosing) { open = node; }
                        }
                        else if (reader.NodeType == XmlNodeType.EndElement)
                        {
                            open.ContentEnd = SkipTo(true);
                            open.End = position = Text.IndexOf('>', open.ContentEnd) + 1;
                            open = open.Parent;
                        }
                    }
                }
            }
            catch (XmlException error) { throw NotWellFormed(error.LineNumber); }
            return root;
        }

        private static void ReadAttributes(XmlReader reader, ConfigNode node)
        {
            bool agree = reader.IsEmptyElement == node.SelfClosing && reader.AttributeCount == node.Spans.Count;
            for (int index = 0; agree && index < node.Spans.Count; index++)
            {
                reader.MoveToAttribute(index);
                agree = reader.Name == node.Spans[index].Name;
                node.Spans[index].Original = reader.Value;
                node.Values[reader.Name] = reader.Value;
            }
            reader.MoveToElement();
            if (agree) { return; }
            throw new InvalidOperationException("The lab's scanner and XmlReader disagree on <" + node.Name + "> in line " + node.Line);
        }

        /// <summary>The place of the next tag (an end tag or not), past comments, CDATA and instructions.</summary>
        private int SkipTo(bool endTag)
        {
            while (true)
            {
                int at = Text.IndexOf('<', position);
                string end = Starts(at, "<!--") ? "-->" : Starts(at, "<![CDATA[") ? "]]>" : Starts(at, "<?") ? "?>" : null;
                if (end == null)
                {
                    if (Starts(at, "</") == endTag) { return at; }
                    throw new InvalidOperationException("The lab's scanner and XmlReader disagree at " + at);
                }
                position = Text.IndexOf(end, at, StringComparison.Ordinal) + end.Length;
            }
        }

        private bool Starts(int at, string text) { return string.CompareOrdinal(Text, at, text, 0, text.Length) == 0; }

        private void ScanTag(ConfigNode node)
        {
            node.Start = SkipTo(false);
            position = node.NameEnd = node.Start + 1 + node.Name.Length;
            while (true)
            {
                int lead = position;
                SkipSpace();
                if (Text[position] == '/' || Text[position] == '>') { break; }
                int name = position;
                while (Text[position] != '=' && !char.IsWhiteSpace(Text[position])) { position++; }
                var span = new AttributeSpan { Name = Text.Substring(name, position - name), Lead = lead };
                SkipSpace();
                position++;
                SkipSpace();
                span.Quote = Text[position];
                span.Value = position + 1;
                span.ValueEnd = Text.IndexOf(span.Quote, span.Value);
                span.End = position = span.ValueEnd + 1;
                node.Spans.Add(span);
            }
            node.SelfClosing = Text[position] == '/';
            position = node.TagEnd = node.ContentEnd = node.End = position + (node.SelfClosing ? 2 : 1);
        }

        private void SkipSpace() { while (char.IsWhiteSpace(Text[position])) { position++; } }
    }
}
