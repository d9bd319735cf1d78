// Elements and sections as callers see them: values with IIS's inheritance, and changes to them.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace Microsoft.Web.Administration
{
    public class ConfigurationElement
    {
        internal Configuration Owner;
        private ConfigurationElement parent, twin;
        private ConfigNode item;
        private ConfigurationElement[] defaults;

        internal ConfigurationElement() { }

        /// <summary>An element of a parent, found by its tag each time it is needed (it may not be there yet), or a fixed node.</summary>
        internal void Initialize(
            Configuration owner, ConfigurationElement parent, string tag, ConfigNode item,
            ConfigurationElementSchema schema, ConfigurationElement[] defaults)
        {
            Owner = owner;
            this.parent = parent;
            this.item = item;
            this.defaults = defaults ?? new ConfigurationElement[0];
            ElementTagName = tag;
            Schema = schema;
        }

        public string ElementTagName { get; private set; }
        public ConfigurationElementSchema Schema { get; private set; }

        /// <summary>Known: whether the file has this element; what it inherits does not count.</summary>
        public bool IsLocallyStored { get { return Node != null && Node.IsPresent; } }

        public object this[string attributeName]
        {
            get { return GetAttributeValue(attributeName); }
            set { SetAttributeValue(attributeName, value); }
        }

        /// <summary>Known: every attribute of the schema, set or not.</summary>
        public ConfigurationAttributeCollection Attributes
        {
            get { return new ConfigurationAttributeCollection(Schema.AttributeSchemas.Select(schema => new ConfigurationAttribute(this, schema))); }
        }

        /// <summary>
        /// Known, against its name: every attribute's effective value as text, set or not, enums as numbers, and the password
        /// in clear. It does not tell what stands in the file.
        /// </summary>
        public IDictionary<string, string> RawAttributes
        {
            get { return Attributes.ToDictionary(one => one.Name, one => Convert.ToString(one.Value, CultureInfo.InvariantCulture)); }
        }

        /// <summary>Every child element of the schema, whether or not the file has it, but for those that the lab passes over.</summary>
        public ConfigurationChildElementCollection ChildElements
        {
            get { return new ConfigurationChildElementCollection(Schema.ChildElementSchemas.Select(schema => GetChildElement(schema.Name))); }
        }

        public object Methods { get { throw Lab.Unsupported("ConfigurationElement.Methods"); } }

        /// <summary>Known: a new object each time; a name that the schema lacks is a COMException 0x80070585.</summary>
        public ConfigurationAttribute GetAttribute(string attributeName)
        {
            Lab.Calls++;
            return new ConfigurationAttribute(this, Find(attributeName));
        }

        public object GetAttributeValue(string attributeName) { return GetAttribute(attributeName).Value; }

        public void SetAttributeValue(string attributeName, object value)
        {
            ConfigurationAttributeSchema attribute = Find(attributeName);
            object typed = attribute.Accept(value);
            Owner.SetDirty();
            try { typed = attribute.Check(typed); }
            catch (FormatException error) { throw Errors.BadValue(error.Message); }
            string old = Stored(attribute.Name), text = attribute.Format(typed);
            bool same = old != null && (attribute.IsEncrypted ? text == old : typed.Equals(attribute.Parse(old)));
            if (!Owner.Lab.KeepSchemaDefault && !attribute.IsRequired && typed.Equals(attribute.Default)) { Clear(attribute.Name); }
            else if (!same) { EnsureNode().Values[attribute.Name] = text; }
        }

        /// <summary>Not known: what a name that the schema lacks gives here. As for an attribute, it is refused.</summary>
        public ConfigurationElement GetChildElement(string elementName)
        {
            Lab.Calls++;
            ConfigurationElementSchema schema = ChildSchema(elementName);
            return Child(schema.Name, schema.CollectionSchema == null ? new ConfigurationElement() : new ConfigurationElementCollection());
        }

        public ConfigurationElement GetChildElement(string elementName, Type elementType)
        {
            throw Lab.Unsupported("ConfigurationElement.GetChildElement(String, Type)");
        }

        /// <summary>Known: null where the element is no collection.</summary>
        public ConfigurationElementCollection GetCollection()
        {
            if (Schema.CollectionSchema == null) { return null; }
            var collection = new ConfigurationElementCollection();
            collection.SameAs(this);
            return collection;
        }

        public ConfigurationElementCollection GetCollection(string collectionName) { return GetChildElement(collectionName).GetCollection(); }
        public ConfigurationElement GetCollection(Type collectionType) { throw Lab.Unsupported("ConfigurationElement.GetCollection(Type)"); }
        public object GetMetadata(string metadataType) { throw Lab.Unsupported("ConfigurationElement.GetMetadata"); }
        public void SetMetadata(string metadataType, object value) { throw Lab.Unsupported("ConfigurationElement.SetMetadata"); }

        /// <summary>
        /// Clear a child element, so that all of it is inherited again, or take an item out of its collection. What is left in the
        /// file of an element that is empty then is not known; see lab.txt.
        /// </summary>
        public void Delete()
        {
            if (parent == null) { throw Lab.Unsupported("ConfigurationElement.Delete of a section"); }
            if (item != null && !IsIn(parent)) { throw Lab.Unsupported("ConfigurationElement.Delete of an item that is in no collection"); }
            Owner.SetDirty();
            if (item != null)
            {
                TakeOut();
                return;
            }
            if (Node == null) { return; }
            Clear(Node);
            Owner.Shape++;
            Prune();
        }

        /// <summary>Whether this is an item of that collection now: made, added, and not taken out.</summary>
        internal bool IsIn(ConfigurationElement collection)
        {
            return item != null && !item.Removed && item.Parent != null && item.Parent == collection.Node;
        }

        internal void TakeOut()
        {
            item.Take();
            Owner.Shape++;
            parent.Prune();
        }

        internal virtual ConfigNode Node
        {
            get
            {
                if (twin != null) { return twin.Node; }
                if (item != null) { return item; }
                ConfigNode above = parent.Node;
                return above == null ? null : above.Child(ElementTagName);
            }
        }

        internal virtual ConfigNode EnsureNode()
        {
            return twin != null ? twin.EnsureNode() : item ?? parent.EnsureNode().ChildOrNew(ElementTagName);
        }

        /// <summary>The text in the file, or null where the attribute does not stand there.</summary>
        internal string Stored(string name)
        {
            string text;
            return Node != null && Node.Values.TryGetValue(name, out text) ? text : null;
        }

        /// <summary>The text that counts, and the element that it comes from; null, null where it is the schema's default.</summary>
        internal string Effective(string name, out ConfigurationElement source)
        {
            source = new[] { this }.Concat(defaults).FirstOrDefault(element => element.Stored(name) != null);
            return source == null ? null : source.Stored(name);
        }

        internal void Clear(string name)
        {
            if (Node == null || !Node.Values.Remove(name)) { return; }
            Prune();
        }

        internal T Child<T>(string name, T child) where T : ConfigurationElement
        {
            ConfigurationElementSchema schema = ChildSchema(name);
            IEnumerable<ConfigurationElement> above = defaults.Where(element => element.Schema.ChildElementSchemas[name] != null);
            child.Initialize(Owner, this, schema.Name, null, schema, above.Select(element => element.GetChildElement(name)).ToArray());
            return child;
        }

        /// <summary>Be another face of the same element, its collection for instance.</summary>
        internal void SameAs(ConfigurationElement other)
        {
            Initialize(other.Owner, other.parent, other.ElementTagName, other.item, other.Schema, other.defaults);
            twin = other;
        }

        /// <summary>The elements that hold the defaults of this collection's items, the nearest first.</summary>
        internal ConfigurationElement[] ItemDefaults()
        {
            string name = Schema.CollectionSchema.DefaultElement;
            IEnumerable<ConfigurationElement> own = name == null ? Enumerable.Empty<ConfigurationElement>() : new[] { GetChildElement(name) };
            return own.Concat(OuterDefaults(name)).ToArray();
        }

        private IEnumerable<ConfigurationElement> OuterDefaults(string name)
        {
            for (ConfigurationElement outer = parent; name != null && outer != null; outer = outer.parent)
            {
                if (outer.Schema.ChildElementSchemas[name] != null) { yield return outer.GetChildElement(name); }
            }
        }

        private ConfigurationAttributeSchema Find(string name)
        {
            if (string.IsNullOrEmpty(name)) { throw new ArgumentNullException("attributeName"); }
            ConfigurationAttributeSchema found = Schema.AttributeSchemas[name];
            if (found == null) { throw Errors.NoSuchName(); }
            return found;
        }

        private ConfigurationElementSchema ChildSchema(string name)
        {
            if (string.IsNullOrEmpty(name)) { throw new ArgumentNullException("elementName"); }
            if (Schema.Opaque.Contains(name)) { throw Lab.Unsupported("the element " + name); }
            ConfigurationElementSchema found = Schema.ChildElementSchemas[name];
            if (found == null) { throw Errors.NoSuchName(); }
            return found;
        }

        private static void Clear(ConfigNode node)
        {
            node.Values.Clear();
            node.Children.ForEach(Clear);
            node.Removed = true;
        }

        private void Prune()
        {
            if (item != null || parent == null || Node == null) { return; }
            bool emptied = Node.Spans.Count > 0 || Node.Children.Any(child => !child.IsNew);
            bool bare = !Node.HasContent && (Node.IsNew || (emptied && Owner.File.IsBare(Node)));
            Node.Removed = bare && Owner.Lab.DeleteLeavesNothing;
            if (Node.Removed) { parent.Prune(); }
        }
    }

    public class ConfigurationSection : ConfigurationElement
    {
        internal ConfigurationSection() { }

        public string SectionPath { get; internal set; }
        public bool IsLocked { get { return false; } }

        internal override ConfigNode Node { get { return Owner.File.Section(SectionPath); } }
        internal override ConfigNode EnsureNode()
        {
            return Node ?? SectionPath.Split('/').Aggregate(Owner.File.Root, (node, name) => node.ChildOrNew(name));
        }
    }
}
