// The way in: a server's configuration, its sites and its pools.

using System;
using System.IO;
using System.Linq;
using System.Xml;

namespace Microsoft.Web.Administration
{
    /// <summary>
    /// Reads at the first use and keeps that picture. Known: once it has committed, what was got from it is read only, and
    /// what is got then comes from a new picture. After a failed commit the old picture stays, so trying again fails again.
    /// </summary>
    public sealed class ServerManager : IDisposable
    {
        private readonly Lab lab;
        private readonly string path;
        private readonly bool readOnly;
        private Configuration applicationHost, redirection;
        private ApplicationPoolCollection pools;
        private SiteCollection sites;
        private bool disposed;

        public ServerManager() : this(false, null) { }

        public ServerManager(string applicationHostConfigurationPath) : this(false, applicationHostConfigurationPath) { }

        public ServerManager(bool readOnly, string applicationHostConfigurationPath)
        {
            lab = Lab.Read();
            this.readOnly = readOnly;
            path = applicationHostConfigurationPath;
        }

        public ApplicationPoolCollection ApplicationPools
        {
            get
            {
                ConfigurationSection section = Section("system.applicationHost/applicationPools");
                if (pools == null) { (pools = new ApplicationPoolCollection()).SameAs(section); }
                return pools;
            }
        }

        public ApplicationPoolDefaults ApplicationPoolDefaults
        {
            get { return Section("system.applicationHost/applicationPools").Child("applicationPoolDefaults", new ApplicationPoolDefaults()); }
        }

        public SiteCollection Sites
        {
            get
            {
                ConfigurationSection section = Section("system.applicationHost/sites");
                if (sites == null) { (sites = new SiteCollection()).SameAs(section); }
                return sites;
            }
        }

        public SiteDefaults SiteDefaults { get { return Section("system.applicationHost/sites").Child("siteDefaults", new SiteDefaults()); } }
        public ApplicationDefaults ApplicationDefaults
        {
            get { return Section("system.applicationHost/sites").Child("applicationDefaults", new ApplicationDefaults()); }
        }
        public object VirtualDirectoryDefaults { get { throw Lab.Unsupported("ServerManager.VirtualDirectoryDefaults"); } }
        public object WorkerProcesses { get { throw Lab.Unsupported("ServerManager.WorkerProcesses"); } }

        public Configuration GetApplicationHostConfiguration()
        {
            EnsureNotDisposed();
            return applicationHost ?? (applicationHost = new Configuration(path ?? ApplicationHostPath(), lab, readOnly));
        }

        /// <summary>redirection.config, to read; the lab does not write it.</summary>
        public Configuration GetRedirectionConfiguration()
        {
            EnsureNotDisposed();
            if (lab.DenyRead) { throw Errors.Denied(ConfigPath("redirection.config"), "read"); }
            return redirection ?? (redirection = new Configuration(ConfigPath("redirection.config"), lab, true) { Fixed = true });
        }

        public Configuration GetAdministrationConfiguration() { throw Lab.Unsupported("ServerManager.GetAdministrationConfiguration"); }
        public Configuration GetWebConfiguration(string siteName) { throw Lab.Unsupported("ServerManager.GetWebConfiguration"); }
        public Configuration GetWebConfiguration(string siteName, string virtualPath) { throw Lab.Unsupported("ServerManager.GetWebConfiguration"); }
        public static ServerManager OpenRemote(string serverName) { throw Lab.Unsupported("ServerManager.OpenRemote"); }

        /// <summary>Write what was changed; without a change, nothing happens.</summary>
        public void CommitChanges()
        {
            EnsureNotDisposed();
            if (applicationHost == null || !applicationHost.Dirty) { return; }
            Commit.Run(applicationHost.File, lab);
            applicationHost.ReadOnly = true;
            applicationHost = null;
            pools = null;
            sites = null;
        }

        public void Dispose()
        {
            if (!disposed && lab.CountCalls) { lab.Append("calls.log", Lab.Calls.ToString(System.Globalization.CultureInfo.InvariantCulture)); }
            Lab.Calls = 0;
            disposed = true;
        }

        private ConfigurationSection Section(string name) { return GetApplicationHostConfiguration().GetSection(name); }

        private void EnsureNotDisposed() { if (disposed) { throw new ObjectDisposedException("ServerManager"); } }

        private string ConfigPath(string name) { return Path.Combine(lab.Windows, "System32", "inetsrv", "config", name); }

        /// <summary>Shared configuration: redirection.config may name another folder.</summary>
        private string ApplicationHostPath()
        {
            if (!lab.DenyRead && !File.Exists(ConfigPath("redirection.config"))) { return ConfigPath("applicationHost.config"); }
            ConfigurationSection section = GetRedirectionConfiguration().GetSection("configurationRedirection");
            if (!(bool)section["enabled"]) { return ConfigPath("applicationHost.config"); }
            string shared = Path.Combine((string)section["path"], "applicationHost.config");
            if (lab.DenyShare) { throw Errors.Denied(shared, "read"); }
            return shared;
        }
    }

    public sealed class SiteCollection : ConfigurationElementCollectionBase<Site>
    {
        internal SiteCollection() { }

        public new Site this[string name] { get { return Named("name", name); } }

        /// <summary>Known.</summary>
        public static char[] InvalidSiteNameCharacters() { return "\\/?;:@&=+$,|\"<>".ToCharArray(); }

        /// <summary>
        /// Known: with one binding, and the application "/" with the virtual directory "/". These two stand in the file and cannot
        /// be asked for. Not known: the id, here one above the highest; the type of the errors of a name. Several protocols at
        /// once are documented, and not what becomes of them.
        /// </summary>
        public Site Add(string name, string bindingProtocol, string bindingInformation, string physicalPath)
        {
            if (string.IsNullOrEmpty(name)) { throw new ArgumentNullException("name"); }
            if (name.IndexOfAny(InvalidSiteNameCharacters()) >= 0) { throw Errors.BadValue("Invalid site name"); }
            if (XmlConvert.VerifyXmlChars(bindingProtocol).IndexOf(',') >= 0) { throw Lab.Unsupported("SiteCollection.Add with several protocols"); }
            Site site = CreateElement();
            site["name"] = name;
            site["id"] = this.Select(other => other.Id).DefaultIfEmpty(0).Max() + 1;
            site.Applications.Add("/", physicalPath);
            site.EnsureNode().Append("bindings").Append("binding", "protocol", bindingProtocol,
                "bindingInformation", XmlConvert.VerifyXmlChars(bindingInformation));
            return Add(site);
        }

        public Site Add(string name, string physicalPath, int port) { throw Lab.Unsupported("SiteCollection.Add(String, String, Int32)"); }
        public Site Add(string name, string bindingInformation, string physicalPath, byte[] certificateHash)
        {
            throw Lab.Unsupported("SiteCollection.Add(String, String, String, Byte[])");
        }

        internal override Site NewItem() { return new Site(); }
    }

    public sealed class SiteDefaults : ConfigurationElement
    {
        internal SiteDefaults() { }

        public bool ServerAutoStart { get { return (bool)this["serverAutoStart"]; } set { this["serverAutoStart"] = value; } }
    }

    public sealed class Site : ConfigurationElement
    {
        internal Site() { }

        public long Id { get { return (long)this["id"]; } set { throw Lab.Unsupported("Site.Id set"); } }
        public string Name { get { return (string)this["name"]; } set { throw Lab.Unsupported("Site.Name set"); } }
        public bool ServerAutoStart { get { return (bool)this["serverAutoStart"]; } set { this["serverAutoStart"] = value; } }
        public ApplicationDefaults ApplicationDefaults { get { return Child("applicationDefaults", new ApplicationDefaults()); } }
        public ApplicationCollection Applications
        {
            get
            {
                var applications = new ApplicationCollection();
                applications.SameAs(this);
                return applications;
            }
        }

        /// <summary>The lab's sites run.</summary>
        public ObjectState State { get { return ObjectState.Started; } }

        public object Bindings { get { throw Lab.Unsupported("Site.Bindings"); } }
        public object Limits { get { throw Lab.Unsupported("Site.Limits"); } }
        public object LogFile { get { throw Lab.Unsupported("Site.LogFile"); } }
        public object TraceFailedRequestsLogging { get { throw Lab.Unsupported("Site.TraceFailedRequestsLogging"); } }
        public object VirtualDirectoryDefaults { get { throw Lab.Unsupported("Site.VirtualDirectoryDefaults"); } }
        public Configuration GetWebConfiguration() { throw Lab.Unsupported("Site.GetWebConfiguration"); }
        public ObjectState Start() { throw Lab.Unsupported("Site.Start"); }
        public ObjectState Stop() { throw Lab.Unsupported("Site.Stop"); }

        public override string ToString() { return Name; }
    }

    public sealed class ApplicationCollection : ConfigurationElementCollectionBase<Application>
    {
        internal ApplicationCollection() { }

        public new Application this[string path] { get { return Named("path", path); } }

        /// <summary>Known.</summary>
        public static char[] InvalidApplicationPathCharacters() { return "\\?;:@&=+$,|\"<>*".ToCharArray(); }

        /// <summary>
        /// Known: the types of the errors, from the documentation. The virtual directory "/" stands in the file and cannot be asked
        /// for; that a virtual directory may have the path already is therefore not seen. Not known: the texts.
        /// </summary>
        public Application Add(string path, string physicalPath)
        {
            if (string.IsNullOrEmpty(path) || path.IndexOfAny(InvalidApplicationPathCharacters()) >= 0)
            {
                throw new FormatException("The path is not that of an application: " + path);
            }
            if (this[path] != null) { throw new InvalidOperationException("There is an application of that path: " + path); }
            Application application = CreateElement();
            application["path"] = path;
            application.EnsureNode().Append("virtualDirectory", "path", "/", "physicalPath", XmlConvert.VerifyXmlChars(physicalPath));
            return Add(application);
        }

        internal override Application NewItem() { return new Application(); }
    }

    public sealed class ApplicationDefaults : ConfigurationElement
    {
        internal ApplicationDefaults() { }

        public string ApplicationPoolName { get { return (string)this["applicationPool"]; } set { this["applicationPool"] = value; } }
        public string EnabledProtocols { get { return (string)this["enabledProtocols"]; } set { this["enabledProtocols"] = value; } }
    }

    public sealed class Application : ConfigurationElement
    {
        internal Application() { }

        public string Path { get { return (string)this["path"]; } set { throw Lab.Unsupported("Application.Path set"); } }
        public string ApplicationPoolName { get { return (string)this["applicationPool"]; } set { this["applicationPool"] = value; } }
        public string EnabledProtocols { get { return (string)this["enabledProtocols"]; } set { this["enabledProtocols"] = value; } }
        public object VirtualDirectories { get { throw Lab.Unsupported("Application.VirtualDirectories"); } }
        public object VirtualDirectoryDefaults { get { throw Lab.Unsupported("Application.VirtualDirectoryDefaults"); } }
        public Configuration GetWebConfiguration() { throw Lab.Unsupported("Application.GetWebConfiguration"); }

        public override string ToString() { return Path; }
    }
}
