// A file as callers see it: its sections, checked against the schema.

using System;
using System.Collections.Generic;
using System.Linq;

namespace Microsoft.Web.Administration
{
    /// <summary>One file, as it was when its manager first used it, and the changes made since.</summary>
    public sealed class Configuration
    {
        internal readonly ConfigFile File;
        internal readonly Lab Lab;
        internal bool ReadOnly, Dirty;

        /// <summary>Counts what was added and taken away; who keeps a list of items looks whether it still holds.</summary>
        internal int Shape;

        /// <summary>redirection.config: to read only, in the lab.</summary>
        internal bool Fixed;
        private readonly Dictionary<string, ConfigurationElementSchema> sections = new Dictionary<string, ConfigurationElementSchema>();

        internal Configuration(string path, Lab lab, bool readOnly)
        {
            Lab = lab;
            ReadOnly = readOnly;
            lab.BeforeRead(path);
            File = new ConfigFile(path);
        }

        /// <summary>The section, whether or not the file has it; its whole content is checked against the schema, as IIS does.</summary>
        public ConfigurationSection GetSection(string sectionPath)
        {
            if (string.IsNullOrEmpty(sectionPath)) { throw new ArgumentNullException("sectionPath"); }
            ConfigurationElementSchema schema;
            if (!sections.TryGetValue(sectionPath, out schema))
            {
                schema = IisSchema.Of(sectionPath, Lab.WideSitesDefaults);
                ConfigNode node = File.Section(sectionPath);
                if (node != null) { Check(node, schema); }
                sections.Add(sectionPath, schema);
            }
            var section = new ConfigurationSection { SectionPath = sectionPath };
            section.Initialize(this, null, sectionPath.Substring(sectionPath.LastIndexOf('/') + 1), null, schema, null);
            return section;
        }

        public ConfigurationSection GetSection(string sectionPath, string locationPath)
        {
            throw Lab.Unsupported("Configuration.GetSection(String, String)");
        }

        public string[] GetLocationPaths() { throw Lab.Unsupported("Configuration.GetLocationPaths"); }
        public object RootSectionGroup { get { throw Lab.Unsupported("Configuration.RootSectionGroup"); } }

        internal void SetDirty()
        {
            if (Fixed) { throw Lab.Unsupported("a change of " + File.Path); }
            if (ReadOnly) { throw Errors.Committed(); }
            Dirty = true;
        }

        /// <summary>Known: values, names and keys are checked when a section is read, and one that is wrong makes all of it unreadable.</summary>
        private void Check(ConfigNode node, ConfigurationElementSchema schema)
        {
            foreach (KeyValuePair<string, string> pair in node.Values)
            {
                ConfigurationAttributeSchema attribute = schema.AttributeSchemas.FirstOrDefault(known => known.Name == pair.Key);
                if (attribute != null) { CheckValue(node, attribute, pair.Value); }
                // "lock..." is how IIS locks parts of a section; the lab takes no notice.
                else if (!pair.Key.StartsWith("lock", StringComparison.Ordinal) && !pair.Key.StartsWith("xmlns:", StringComparison.Ordinal))
                {
                    throw Errors.Bad(File.Path, node.Line, "Unrecognized attribute '" + pair.Key + "'");
                }
            }
            foreach (ConfigurationAttributeSchema attribute in schema.AttributeSchemas)
            {
                if (!attribute.IsRequired || node.Values.ContainsKey(attribute.Name)) { continue; }
                throw Errors.Bad(File.Path, node.Line, "Missing required attribute '" + attribute.Name + "'");
            }
            ConfigurationElementSchema item = schema.CollectionSchema == null ? null : schema.CollectionSchema.Item;
            var keys = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            var alone = new HashSet<string>(StringComparer.Ordinal);
            foreach (ConfigNode child in node.Children)
            {
                bool isItem = item != null && child.Name == item.Name;
                ConfigurationElementSchema known = isItem ? item : schema.ChildElementSchemas.FirstOrDefault(element => element.Name == child.Name);
                bool isDirective = item != null && (child.Name == "clear" || child.Name == "remove");
                if (known != null) { Check(child, known); }
                else if (!schema.Opaque.Contains(child.Name) && !isDirective && !schema.Admits(child.Name))
                {
                    throw Errors.Bad(File.Path, child.Line, "Unrecognized element '" + child.Name + "'");
                }
                // Not known: what IIS says of an element that is no item and comes twice.
                if (known != null && !isItem && !alone.Add(child.Name))
                {
                    throw Errors.Bad(File.Path, child.Line, "Element '" + child.Name + "' may only appear once in this section");
                }
                if (isItem) { CheckKeys(child, item, keys); }
                else if (child.Name == "clear") { keys.Clear(); }
            }
        }

        private void CheckValue(ConfigNode node, ConfigurationAttributeSchema attribute, string text)
        {
            if (attribute.IsEncrypted) { return; }
            string reason;
            try
            {
                attribute.Check(attribute.Parse(text));
                return;
            }
            catch (FormatException error) { reason = error.Message; }
            catch (OverflowException error) { reason = error.Message; }
            throw Errors.Bad(File.Path, node.Line, "The '" + attribute.Name + "' attribute is invalid.  " + reason + "\r\n");
        }

        private void CheckKeys(ConfigNode node, ConfigurationElementSchema schema, HashSet<string> keys)
        {
            foreach (ConfigurationAttributeSchema key in schema.AttributeSchemas.Where(attribute => attribute.IsUniqueKey))
            {
                if (keys.Add(key.Name + "\n" + node.Values[key.Name])) { continue; }
                throw Errors.Duplicate(File.Path, node.Line, node, schema);
            }
        }
    }
}
