// What an attribute may hold: its type, its default, its range, and how it stands in a file.
//
// This folder is a stand-in for Microsoft.Web.Administration, for the lab. Names and types are those of the real
// assembly. Where a comment says "known", a source was read: Microsoft's documentation, the published protocol
// [MC-IISA], installed copies of IIS_schema.xml (7.0 to 10), the tests that JexusManager runs against the real
// assembly, errors that people reported with their codes, or a public listing of an early build (for its behaviour; no
// code is taken from any of them).
// "Not known" means that nobody here could look at a Windows server.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;
using System.Xml;

namespace Microsoft.Web.Administration
{
    /// <summary>A list by position and by name. Known: a name that is not there gives null, and case does not matter.</summary>
    public abstract class NamedList<T> : ICollection, IEnumerable<T> where T : class
    {
        private readonly List<T> items;
        private readonly Func<T, string> nameOf;

        internal NamedList(IEnumerable<T> items, Func<T, string> nameOf)
        {
            this.items = items.ToList();
            this.nameOf = nameOf;
        }

        public int Count { get { return items.Count; } }
        public bool IsSynchronized { get { return false; } }
        public object SyncRoot { get { return this; } }
        public T this[int index] { get { return items[index]; } }
        public T this[string name]
        {
            get { return items.FirstOrDefault(item => string.Equals(nameOf(item), name, StringComparison.OrdinalIgnoreCase)); }
        }

        public void CopyTo(Array array, int index) { ((ICollection)items).CopyTo(array, index); }
        public IEnumerator<T> GetEnumerator()
        {
            foreach (T item in items)
            {
                Lab.Calls++;
                yield return item;
            }
        }
        IEnumerator IEnumerable.GetEnumerator() { return items.GetEnumerator(); }
    }

    public sealed class ConfigurationEnumValue
    {
        internal ConfigurationEnumValue(string name, long value) { Name = name; Value = value; }

        public string Name { get; private set; }

        /// <summary>Known: an Int64 here, although the attribute's own value is an Int32.</summary>
        public long Value { get; private set; }
    }

    public sealed class ConfigurationEnumValueCollection : NamedList<ConfigurationEnumValue>
    {
        internal ConfigurationEnumValueCollection(IEnumerable<ConfigurationEnumValue> items) : base(items, item => item.Name) { }

        public string GetName(long value)
        {
            ConfigurationEnumValue found = this.FirstOrDefault(item => item.Value == value);
            return found == null ? null : found.Name;
        }
    }

    public sealed class ConfigurationAttributeSchema
    {
        // Hours above 23 occur (29:00:00, IIS's own default), so TimeSpan.Parse is of no use: it reads them as days.
        private static readonly Regex Span = new Regex(@"^(?:(\d{1,6})\.)?(\d{1,6}):(\d{1,2}):(\d{1,2})$", RegexOptions.CultureInvariant);

        internal string DefaultText;
        internal ConfigurationEnumValueCollection Values;

        internal ConfigurationAttributeSchema(string name, string type) { Name = name; Type = type; }

        public string Name { get; private set; }
        public string Type { get; private set; }
        public bool AllowInfinite { get { return false; } }
        public bool IsCaseSensitive { get { return IsEncrypted; } }
        public bool IsCombinedKey { get { return false; } }
        public bool IsEncrypted { get; internal set; }
        public bool IsExpanded { get; internal set; }
        public bool IsRequired { get; internal set; }
        public bool IsUniqueKey { get; internal set; }
        public string TimeSpanFormat { get { return "string"; } }
        public string ValidationType { get; internal set; }
        public string ValidationParameter { get; internal set; }

        /// <summary>
        /// The default as the native side hands it out. The wrapper turns a uint into a long and ticks into a TimeSpan
        /// for a value, and as far as is known (an early build) not for a default: so ticks in a UInt64, unless lab.txt says else.
        /// </summary>
        public object DefaultValue
        {
            get
            {
                if (Lab.Current.SchemaDefaultThrows) { throw new NotImplementedException(); }
                object value = Default;
                if (value is TimeSpan && !Lab.Current.TimeSpanDefaultIsTimeSpan) { return (ulong)((TimeSpan)value).Ticks; }
                return Type == "uint" ? (object)(uint)(long)value : value;
            }
        }

        /// <summary>The default in the type of a value.</summary>
        internal object Default { get { return IsEncrypted ? "" : Parse(DefaultText); } }

        /// <summary>Known: null where the type has no named values.</summary>
        public ConfigurationEnumValueCollection GetEnumValues() { return Values; }

        public object GetMetadata(string metadataType) { throw Lab.Unsupported("ConfigurationAttributeSchema.GetMetadata"); }

        /// <summary>The value of a text in a file. Known: enums and flags are Int32, uint is Int64. Throws FormatException.</summary>
        internal object Parse(string text)
        {
            switch (Type)
            {
                case "bool":
                    if (string.Equals(text, "true", StringComparison.OrdinalIgnoreCase)) { return true; }
                    if (string.Equals(text, "false", StringComparison.OrdinalIgnoreCase)) { return false; }
                    throw new FormatException("Boolean must be one of true, false");
                case "enum":
                    ConfigurationEnumValue one = Values[text];
                    if (one == null) { throw new FormatException(EnumText); }
                    return (int)one.Value;
                case "flags":
                    int all = 0;
                    foreach (string part in text.Split(new[] { ',' }, StringSplitOptions.RemoveEmptyEntries))
                    {
                        ConfigurationEnumValue flag = Values[part.Trim()];
                        if (flag == null) { throw new FormatException(FlagsText); }
                        all |= (int)flag.Value;
                    }
                    return all;
                case "uint":
                    uint number;
                    if (uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number)) { return (long)number; }
                    throw new FormatException("Invalid unsigned integer");
                case "timeSpan":
                    Match match = Span.Match(text);
                    if (!match.Success) { throw new FormatException("Invalid timespan"); }
                    Func<Group, long> count = group => group.Success ? long.Parse(group.Value, CultureInfo.InvariantCulture) : 0;
                    long[] parts = Enumerable.Range(1, 4).Select(index => count(match.Groups[index])).ToArray();
                    return new TimeSpan((((parts[0] * 24 + parts[1]) * 60 + parts[2]) * 60 + parts[3]) * TimeSpan.TicksPerSecond);
                default:
                    return text;
            }
        }

        /// <summary>The text that stands for a value in a file: canonical names, and 1.05:00:00 for 29 hours.</summary>
        internal string Format(object value)
        {
            if (IsEncrypted) { return Cipher.Hide(XmlConvert.VerifyXmlChars((string)value)); }
            switch (Type)
            {
                case "bool": return (bool)value ? "true" : "false";
                case "enum": return Values.GetName((int)value);
                case "flags": return string.Join(", ", Values.Where(flag => ((int)value & flag.Value) != 0).Select(flag => flag.Name));
                case "timeSpan": return ((TimeSpan)value).ToString("c", CultureInfo.InvariantCulture);
                // A character that XML cannot hold is an XmlException here; what IIS says is not known.
                case "string": return XmlConvert.VerifyXmlChars((string)value);
                default: return Convert.ToString(value, CultureInfo.InvariantCulture);
            }
        }

        /// <summary>
        /// The value that a caller's object means. Known: a time span must be a TimeSpan, a uint must be an integer (a text is an
        /// InvalidCastException), an enum may be its number or its name. Not known: texts for bools, numbers for strings. Refused
        /// here, since a script that gets by without them is right either way.
        /// </summary>
        internal object Accept(object value)
        {
            if (value == null) { throw new ArgumentNullException("value"); }
            switch (Type)
            {
                case "timeSpan": return (TimeSpan)value;
                case "bool": return (bool)value;
                case "uint":
                    long number = value is long ? (long)value : value is uint ? (uint)value : (int)value;
                    if (number < 0 || number > uint.MaxValue) { throw new ArgumentOutOfRangeException("value"); }
                    return number;
                case "enum":
                case "flags":
                    if (value is string) { return value; }
                    return value is Enum ? Convert.ToInt32(value, CultureInfo.InvariantCulture) : (object)(int)value;
                default: return (string)value;
            }
        }

        /// <summary>Check a value as IIS does, on reading and on setting. Texts are known; throws FormatException.</summary>
        internal object Check(object value)
        {
            if (Type == "enum" || Type == "flags")
            {
                if (value is string) { return Parse((string)value); }
                long known = Values.Aggregate(0L, (sum, item) => sum | item.Value);
                if (Type == "enum" && Values.GetName((int)value) == null) { throw new FormatException(EnumText); }
                if (Type == "flags" && ((int)value & ~known) != 0) { throw new FormatException(FlagsText); }
            }
            switch (ValidationType)
            {
                case "applicationPoolName":
                    var name = (string)value;
                    bool illegal = name.IndexOfAny(ApplicationPoolCollection.InvalidApplicationPoolNameCharacters()) >= 0;
                    bool spaced = name.StartsWith(" ", StringComparison.Ordinal) && !Lab.Current.LeadingSpaceIsRead;
                    if (name.Length > 0 && !spaced && (!illegal || Lab.Current.IllegalNamesAreRead)) { break; }
                    throw new FormatException("Invalid application pool name");
                case "nonEmptyString":
                    if (((string)value).Length == 0) { throw new FormatException("String must not be empty"); }
                    break;
                case "integerRange":
                    long[] limits = Numbers();
                    if ((long)value >= limits[0] && (long)value <= limits[1]) { break; }
                    throw new FormatException("Integer value must be between " + limits[0] + " and " + limits[1] + " inclusive");
                case "timeSpanRange":
                    long[] range = Numbers();
                    TimeSpan least = TimeSpan.FromSeconds(range[0]), most = TimeSpan.FromSeconds(range[1]), span = (TimeSpan)value;
                    if (span >= least && span <= most && span.Ticks % (range[2] * TimeSpan.TicksPerSecond) == 0) { break; }
                    throw new FormatException(string.Format(CultureInfo.InvariantCulture,
                        "Timespan value must be between {0:c} and {1:c} seconds inclusive, with a granularity of {2} seconds", least, most, range[2]));
            }
            return value;
        }

        private long[] Numbers() { return ValidationParameter.Split(',').Select(text => long.Parse(text, CultureInfo.InvariantCulture)).ToArray(); }
        private string EnumText { get { return "Enum must be one of " + string.Join(", ", Values.Select(item => item.Name)); } }
        private string FlagsText { get { return "Flags must be some combination of " + string.Join(", ", Values.Select(item => item.Name)); } }
    }

    public sealed class ConfigurationAttributeSchemaCollection : NamedList<ConfigurationAttributeSchema>
    {
        internal ConfigurationAttributeSchemaCollection(IEnumerable<ConfigurationAttributeSchema> items) : base(items, item => item.Name) { }
    }

    public sealed class ConfigurationElementSchemaCollection : NamedList<ConfigurationElementSchema>
    {
        internal ConfigurationElementSchemaCollection(IEnumerable<ConfigurationElementSchema> items) : base(items, item => item.Name) { }
    }

    public sealed class ConfigurationElementSchema
    {
        /// <summary>Elements that IIS knows and the stand-in passes over: they may stand in a file, and cannot be asked for.</summary>
        internal readonly HashSet<string> Opaque = new HashSet<string>(StringComparer.Ordinal);

        /// <summary>Products extend it with elements of their own: IIS knows them where the product's schema is installed.</summary>
        internal bool IsOpen;

        internal ConfigurationElementSchema(string name) { Name = name; }

        /// <summary>Whether an unknown element may be a product's; not one that differs from a known name by case alone.</summary>
        internal bool Admits(string name)
        {
            IEnumerable<string> known = Opaque.Concat(ChildElementSchemas.Select(child => child.Name));
            if (CollectionSchema != null) { known = known.Append(CollectionSchema.Item.Name); }
            return IsOpen && !known.Contains(name, StringComparer.OrdinalIgnoreCase);
        }

        public string Name { get; private set; }
        public bool AllowUnrecognizedAttributes { get { return false; } }
        public bool IsCollectionDefault { get; internal set; }
        public ConfigurationAttributeSchemaCollection AttributeSchemas { get; internal set; }
        public ConfigurationElementSchemaCollection ChildElementSchemas { get; internal set; }

        /// <summary>Null where the element is no collection.</summary>
        public ConfigurationCollectionSchema CollectionSchema { get; internal set; }

        public object GetMetadata(string metadataType) { throw Lab.Unsupported("ConfigurationElementSchema.GetMetadata"); }
    }

    public sealed class ConfigurationCollectionSchema
    {
        internal ConfigurationElementSchema Item;
        internal bool HasClear, HasRemove;

        /// <summary>The element, beside the items, that holds their defaults, or null.</summary>
        internal string DefaultElement;

        public string AddElementNames { get { return Item.Name; } }
        public bool AllowDuplicates { get { return false; } }
        public ConfigurationElementSchema GetAddElementSchema(string elementName) { return elementName == Item.Name ? Item : null; }
    }
}
