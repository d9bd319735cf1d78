// Collections: the items of a section or an element, in the order of the file.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;

namespace Microsoft.Web.Administration
{
    public sealed class ConfigurationAttributeCollection : NamedList<ConfigurationAttribute>
    {
        internal ConfigurationAttributeCollection(IEnumerable<ConfigurationAttribute> items) : base(items, item => item.Name) { }
    }

    public sealed class ConfigurationChildElementCollection : NamedList<ConfigurationElement>
    {
        internal ConfigurationChildElementCollection(IEnumerable<ConfigurationElement> items) : base(items, item => item.ElementTagName) { }
    }

    /// <summary>
    /// Items in the order of the file. What is added or removed is so at once, and in the file after the commit. Known: an item is
    /// made by CreateElement, and is in the collection only after Add or AddAt; taking one out writes no "remove".
    /// </summary>
    public abstract class ConfigurationElementCollectionBase<T> : ConfigurationElement, ICollection, IEnumerable<T> where T : ConfigurationElement
    {
        private readonly Dictionary<ConfigNode, T> known = new Dictionary<ConfigNode, T>();
        private List<T> items;
        private int shape;

        internal ConfigurationElementCollectionBase() { }

        public int Count { get { return Items.Count; } }
        public bool AllowsAdd { get { return true; } }

        /// <summary>Known: whether the schema has a "clear" (a "remove") for the file, and not whether items can be taken out.</summary>
        public bool AllowsClear { get { return Schema.CollectionSchema.HasClear; } }
        public bool AllowsRemove { get { return Schema.CollectionSchema.HasRemove; } }
        public bool IsSynchronized { get { return false; } }
        public object SyncRoot { get { return this; } }
        public T this[int index] { get { return Items[index]; } }

        /// <summary>
        /// Put a made item behind the last one. Known: a required attribute that it lacks, and a key that another one has, are
        /// errors here and not at the commit; the item can be mended and added then.
        /// </summary>
        public T Add(T element) { return Add(element, null); }

        /// <summary>The same before the item at that index. Not known: what an index out of range gives.</summary>
        public T AddAt(int index, T element) { return Add(element, index == Count ? null : Items[index]); }

        /// <summary>Not known: what it does where AllowsClear is false, and whether a "clear" stands in the file then; here none.</summary>
        public void Clear()
        {
            if (!AllowsClear) { throw Lab.Unsupported("ConfigurationElementCollectionBase.Clear of " + ElementTagName); }
            Owner.SetDirty();
            foreach (T item in Items) { item.TakeOut(); }
        }

        /// <summary>Known for sites and applications: until it is read again, it has the schema's defaults and no others.</summary>
        public T CreateElement()
        {
            ConfigurationElementSchema schema = Schema.CollectionSchema.Item;
            T element = NewItem();
            element.Initialize(Owner, this, schema.Name, new ConfigNode(schema.Name, null) { IsNew = true }, schema, null);
            return element;
        }

        public T CreateElement(string elementTagName)
        {
            if (string.IsNullOrEmpty(elementTagName)) { throw new ArgumentNullException("elementTagName"); }
            if (elementTagName == Schema.CollectionSchema.Item.Name) { return CreateElement(); }
            throw Lab.Unsupported("ConfigurationElementCollectionBase.CreateElement(\"" + elementTagName + "\")");
        }

        public void Remove(T element)
        {
            if (element == null) { throw new ArgumentNullException("element"); }
            Owner.SetDirty();
            if (!element.IsIn(this)) { throw Lab.Unsupported("ConfigurationElementCollectionBase.Remove of what is not in it"); }
            element.TakeOut();
        }

        /// <summary>Not known: what an index out of range gives.</summary>
        public void RemoveAt(int index) { Remove(Items[index]); }

        public int IndexOf(T element) { return Items.FindIndex(item => element != null && item.Node == element.Node); }
        public void CopyTo(Array array, int index) { ((ICollection)Items).CopyTo(array, index); }
        public IEnumerator<T> GetEnumerator()
        {
            foreach (T item in Items)
            {
                Lab.Calls++;
                yield return item;
            }
        }
        IEnumerator IEnumerable.GetEnumerator() { return Items.GetEnumerator(); }

        internal abstract T NewItem();

        internal T Named(string attribute, string value)
        {
            return Items.FirstOrDefault(item => Same(item.Stored(attribute), value));
        }

        /// <summary>By inference: names compare without case.</summary>
        private static bool Same(string one, string other) { return string.Equals(one, other, StringComparison.OrdinalIgnoreCase); }

        private List<T> Items
        {
            get
            {
                if (items != null && shape == Owner.Shape) { return items; }
                items = new List<T>();
                shape = Owner.Shape;
                ConfigurationElement[] defaults = ItemDefaults();
                foreach (ConfigNode node in Node == null ? Enumerable.Empty<ConfigNode>() : Node.Children.Where(child => !child.Removed))
                {
                    if (node.Name == "clear") { items.Clear(); }
                    else if (node.Name == "remove") { items.RemoveAll(item => node.Values.All(pair => Same(item.Stored(pair.Key), pair.Value))); }
                    else if (node.Name == Schema.CollectionSchema.Item.Name) { items.Add(ItemOf(node, defaults)); }
                }
                return items;
            }
        }

        private T ItemOf(ConfigNode node, ConfigurationElement[] defaults)
        {
            T item;
            if (known.TryGetValue(node, out item)) { return item; }
            item = NewItem();
            item.Initialize(Owner, this, node.Name, node, Schema.CollectionSchema.Item, defaults);
            return known[node] = item;
        }

        private T Add(T element, T next)
        {
            if (element == null) { throw new ArgumentNullException("element"); }
            Owner.SetDirty();
            ConfigNode made = element.Node;
            if (!made.IsNew || made.Parent != null || element.Schema != Schema.CollectionSchema.Item)
            {
                throw Lab.Unsupported("ConfigurationElementCollectionBase.Add of what its CreateElement did not make, or twice");
            }
            string[] missing = element.Schema.AttributeSchemas.Where(one => one.IsRequired && element.Stored(one.Name) == null).Select(one => one.Name).ToArray();
            if (missing.Length > 0) { throw Errors.Incomplete(missing); }
            foreach (ConfigurationAttributeSchema key in element.Schema.AttributeSchemas.Where(one => one.IsUniqueKey))
            {
                if (Named(key.Name, element.Stored(key.Name)) != null) { throw Errors.Duplicate("", 0, made, element.Schema); }
            }
            ConfigNode here = EnsureNode();
            // Behind the directives too, so that they are not about it, and before the elements that are no items.
            int last = here.Children.FindLastIndex(child => child.Name == made.Name || child.Name == "clear" || child.Name == "remove");
            here.Insert(next == null ? last + 1 : here.Children.IndexOf(next.Node), made);
            known[made] = element;
            Owner.Shape++;
            return element;
        }
    }

    public class ConfigurationElementCollection : ConfigurationElementCollectionBase<ConfigurationElement>
    {
        internal ConfigurationElementCollection() { }

        internal override ConfigurationElement NewItem() { return new ConfigurationElement(); }
    }
}
