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

    /// <summary>Items that can be read and changed. The lab adds and removes none.</summary>
    public abstract class ConfigurationElementCollectionBase<T> : ConfigurationElement, ICollection, IEnumerable<T> where T : ConfigurationElement
    {
        private List<T> items;

        internal ConfigurationElementCollectionBase() { }

        public int Count { get { return Items.Count; } }
        public bool AllowsAdd { get { return true; } }
        public bool AllowsClear { get { return false; } }
        public bool AllowsRemove { get { return false; } }
        public bool IsSynchronized { get { return false; } }
        public object SyncRoot { get { return this; } }
        public T this[int index] { get { return Items[index]; } }

        public T Add(T element) { throw Lab.Unsupported("ConfigurationElementCollectionBase.Add"); }
        public T AddAt(int index, T element) { throw Lab.Unsupported("ConfigurationElementCollectionBase.AddAt"); }
        public void Clear() { throw Lab.Unsupported("ConfigurationElementCollectionBase.Clear"); }
        public T CreateElement() { throw Lab.Unsupported("ConfigurationElementCollectionBase.CreateElement"); }
        public T CreateElement(string elementTagName) { throw Lab.Unsupported("ConfigurationElementCollectionBase.CreateElement"); }
        public void Remove(T element) { throw Lab.Unsupported("ConfigurationElementCollectionBase.Remove"); }
        public void RemoveAt(int index) { throw Lab.Unsupported("ConfigurationElementCollectionBase.RemoveAt"); }

        public int IndexOf(T element) { return Items.IndexOf(element); }
        public void CopyTo(Array array, int index) { ((ICollection)Items).CopyTo(array, index); }
        public IEnumerator<T> GetEnumerator() { return Items.GetEnumerator(); }
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
                if (items != null) { return items; }
                items = new List<T>();
                ConfigurationElementSchema schema = Schema.CollectionSchema.Item;
                ConfigurationElement[] defaults = ItemDefaults();
                foreach (ConfigNode node in Node == null ? new List<ConfigNode>() : Node.Children)
                {
                    if (node.Name == "clear") { items.Clear(); }
                    else if (node.Name == "remove") { items.RemoveAll(item => node.Values.All(pair => Same(item.Stored(pair.Key), pair.Value))); }
                    else if (node.Name == schema.Name)
                    {
                        T item = NewItem();
                        item.Initialize(Owner, this, node.Name, node, schema, defaults);
                        items.Add(item);
                    }
                }
                return items;
            }
        }
    }

    public class ConfigurationElementCollection : ConfigurationElementCollectionBase<ConfigurationElement>
    {
        internal ConfigurationElementCollection() { }

        internal override ConfigurationElement NewItem() { return new ConfigurationElement(); }
    }
}
