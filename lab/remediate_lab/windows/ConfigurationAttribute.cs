// An attribute as callers see it: its value, where that comes from, and the password's special case.

using System;

namespace Microsoft.Web.Administration
{
    public class ConfigurationAttribute
    {
        private readonly ConfigurationElement element;

        internal ConfigurationAttribute(ConfigurationElement element, ConfigurationAttributeSchema schema)
        {
            this.element = element;
            Schema = schema;
        }

        public ConfigurationAttributeSchema Schema { get; private set; }
        public string Name { get { return Schema.Name; } }
        public bool IsProtected { get { return Schema.IsEncrypted; } }

        /// <summary>
        /// True where the schema's default counts, false where the attribute stands here ([MC-IISA]: isDefaultValue), and false
        /// for a value from a defaults element; see lab.txt for the other answer. Not known for one that stands here and equals
        /// the schema's default.
        /// </summary>
        public bool IsInheritedFromDefaultValue
        {
            get
            {
                ConfigurationElement source = Source();
                return source == null || (source != element && element.Owner.Lab.InheritedFromDefaults);
            }
        }

        /// <summary>
        /// Known: a password in clear. Each look at one is noted in passwords.log, so that a test can prove that there was none.
        /// </summary>
        public object Value
        {
            get
            {
                ConfigurationElement source;
                string text = element.Effective(Name, out source);
                if (text == null) { return Schema.Default; }
                if (!Schema.IsEncrypted) { return Schema.Parse(text); }
                element.Owner.Lab.Append("passwords.log", element.ElementTagName + "." + Name);
                return Cipher.Show(text);
            }
            set { element.SetAttributeValue(Name, value); }
        }

        /// <summary>Take the attribute out of the element, so that it is inherited again.</summary>
        public void Delete()
        {
            if (Schema.IsRequired) { throw Lab.Unsupported("ConfigurationAttribute.Delete of a required attribute"); }
            element.Owner.SetDirty();
            element.Clear(Name);
        }

        /// <summary>Of what [MC-IISA] names: isInheritedFromDefault is what tells a value of a defaults element from the rest.</summary>
        public object GetMetadata(string metadataType)
        {
            switch (metadataType)
            {
                case "isDefaultValue": return IsInheritedFromDefaultValue;
                case "isInheritedFromDefault": return Source() != null && Source() != element;
                case "isEncrypted": case "isPropertyEncrypted": return IsProtected;
                default: throw Lab.Unsupported("ConfigurationAttribute.GetMetadata(\"" + metadataType + "\")");
            }
        }

        public void SetMetadata(string metadataType, object value) { throw Lab.Unsupported("ConfigurationAttribute.SetMetadata"); }

        private ConfigurationElement Source()
        {
            ConfigurationElement source;
            element.Effective(Name, out source);
            return source;
        }
    }

    /// <summary>The lab's cipher is none: [enc:Provider:WORD:enc] is WORD.</summary>
    internal static class Cipher
    {
        /// <summary>The provider is that of a pool's password in IIS's schema.</summary>
        internal static string Hide(string word) { return "[enc:IISWASOnlyAesProvider:" + word + ":enc]"; }

        internal static string Show(string text)
        {
            string[] parts = text.Split(new[] { ':' }, 3);
            bool stored = parts.Length == 3 && parts[0] == "[enc" && parts[2].EndsWith(":enc]", StringComparison.Ordinal);
            return stored ? parts[2].Substring(0, parts[2].Length - 5) : text;
        }
    }
}
