// The sections that the lab serves, as IIS_schema.xml has them, for IIS 7.5, 8.0, 8.5 and 10.0.
//
// A line is "name type default options"; "-" is no default. A later line for the same name replaces the
// earlier one from its version ("since") on. A collection with "clear" or "remove" has such directives.
// "open": products extend it (Advanced Logging, for instance), so elements that it does not know are passed over. From
// installed schemas of 7.5, 8.0 and 10; for 8.5, of which no copy was found, "since" follows the documentation.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Reflection;

namespace Microsoft.Web.Administration
{
    internal static class IisSchema
    {
        private const string Recycles = "values=Time:1,Requests:2,Schedule:4,Memory:8,IsapiUnhealthy:16,OnDemand:32,ConfigChange:64,PrivateMemory:128";

        private const string Pool = @"
            queueLength uint 1000 range=10,65535
            autoStart bool true
            enable32BitAppOnWin64 bool false
            managedRuntimeVersion string v2.0
            managedRuntimeVersion string - since=8.0
            managedRuntimeLoader string webengine4.dll
            enableConfigurationOverride bool true
            managedPipelineMode enum Integrated values=Integrated:0,Classic:1
            CLRConfigFile string - expanded
            passAnonymousToken bool true
            startMode enum OnDemand values=OnDemand:0,AlwaysRunning:1
            element processModel
                identityType enum ApplicationPoolIdentity values=LocalSystem:0,LocalService:1,NetworkService:2,SpecificUser:3,ApplicationPoolIdentity:4
                userName string -
                password string [enc:IISWASOnlyAesProvider::enc] encrypted
                loadUserProfile bool false
                setProfileEnvironment bool true
                logonType enum LogonBatch values=LogonBatch:0,LogonService:1
                manualGroupMembership bool false
                idleTimeout timeSpan 00:20:00 range=0,2592000,60
                idleTimeoutAction enum Terminate values=Terminate:0,Suspend:1 since=8.5
                maxProcesses uint 1 range=1,2147483647
                maxProcesses uint 1 range=0,2147483647 since=8.0
                shutdownTimeLimit timeSpan 00:01:30 range=1,4294967,1
                startupTimeLimit timeSpan 00:01:30 range=1,4294967,1
                pingingEnabled bool true
                pingInterval timeSpan 00:00:30 range=1,4294967,1
                pingResponseTime timeSpan 00:01:30 range=1,4294967,1
                logEventOnProcessModel flags IdleTimeout values=IdleTimeout:1 since=8.0
            end
            element recycling
                disallowOverlappingRotation bool false
                disallowRotationOnConfigChange bool false
                logEventOnRecycle flags Time,Memory,PrivateMemory " + Recycles + @"
                logEventOnRecycle flags Time,Requests,Schedule,Memory,IsapiUnhealthy,OnDemand,ConfigChange,PrivateMemory since=10.0 " + Recycles + @"
                element periodicRestart
                    memory uint 0
                    privateMemory uint 0
                    requests uint 0
                    time timeSpan 29:00:00 range=0,25920000,60
                    element schedule
                        collection add clear
                            value timeSpan 00:00:00 range=0,86399,60 required key
                        end
                    end
                end
            end
            opaque failure,cpu,environmentVariables";

        private const string Application = @"
            applicationPool string - check=applicationPoolName
            enabledProtocols string http
            serviceAutoStartEnabled bool false
            serviceAutoStartProvider string -
            preloadEnabled bool false since=8.0
            opaque virtualDirectory,virtualDirectoryDefaults";

        // Known: sites/applicationDefaults has fewer attributes than site/applicationDefaults. preloadEnabled there is an
        // unrecognized attribute to IIS, and the whole section cannot be read. "wide" is for lab.txt to play the other answer.
        private const string SitesDefaults = @"
            applicationPool string - check=applicationPoolName
            enabledProtocols string http
            serviceAutoStartEnabled bool false wide
            serviceAutoStartProvider string - wide
            preloadEnabled bool false since=8.0 wide";

        private static readonly Dictionary<string, string> Sections = new Dictionary<string, string>
        {
            ["system.applicationHost/applicationPools"] = @"
                collection add default=applicationPoolDefaults
                    name string - required key check=applicationPoolName" + Pool + @"
                end
                element applicationPoolDefaults isdefault
                    name string - check=applicationPoolName" + Pool + @"
                end",
            ["system.applicationHost/sites"] = @"
                collection site default=siteDefaults
                    name string - required key
                    id uint 0 required key
                    serverAutoStart bool true
                    collection application default=applicationDefaults
                        path string - required key" + Application + @"
                    end
                    element applicationDefaults isdefault
                        path string -" + Application + @"
                    end
                    opaque bindings,limits,logFile,traceFailedRequestsLogging,virtualDirectoryDefaults,ftpServer,hsts
                    open
                end
                element siteDefaults isdefault
                    name string -
                    id uint 0
                    serverAutoStart bool true
                    opaque bindings,limits,logFile,traceFailedRequestsLogging,ftpServer,hsts
                    open
                end
                element applicationDefaults isdefault
                    path string -" + SitesDefaults + @"
                end
                opaque virtualDirectoryDefaults",
            ["system.webServer/globalModules"] = @"
                collection add clear remove
                    name string - required key check=nonEmptyString
                    image string - required expanded
                    preCondition string -
                end",
            ["configurationRedirection"] = @"
                enabled bool false
                path string -
                userName string -
                password string - encrypted
                enableUncPolling bool false since=8.0
                pollingPeriod timeSpan 00:01:00 since=8.0",
        };

        private static readonly Version Iis = Major(typeof(IisSchema).Assembly.GetCustomAttribute<AssemblyFileVersionAttribute>().Version);

        /// <summary>The schema of a section, or NotSupportedException: IIS has many more than the lab serves.</summary>
        internal static ConfigurationElementSchema Of(string section, bool wide)
        {
            string lines;
            if (!Sections.TryGetValue(section, out lines)) { throw Lab.Unsupported("Configuration.GetSection(\"" + section + "\")"); }
            IEnumerable<string[]> words = lines.Split('\n').Select(line => line.Split(new[] { ' ', '\r' }, StringSplitOptions.RemoveEmptyEntries));
            return Element(section, new Queue<string[]>(words.Where(line => line.Length > 0)), wide);
        }

        private static ConfigurationElementSchema Element(string name, Queue<string[]> lines, bool wide)
        {
            var element = new ConfigurationElementSchema(name);
            var attributes = new List<ConfigurationAttributeSchema>();
            var children = new List<ConfigurationElementSchema>();
            string[] line;
            while (lines.TryDequeue(out line) && line[0] != "end")
            {
                switch (line[0])
                {
                    case "opaque":
                        element.Opaque.UnionWith(line[1].Split(','));
                        break;
                    case "open":
                        element.IsOpen = true;
                        break;
                    case "element":
                        ConfigurationElementSchema child = Element(line[1], lines, wide);
                        child.IsCollectionDefault = line.Contains("isdefault");
                        children.Add(child);
                        break;
                    case "collection":
                        ConfigurationElementSchema item = Element(line[1], lines, wide);
                        element.CollectionSchema = new ConfigurationCollectionSchema
                        {
                            Item = item,
                            DefaultElement = Option(line, "default"),
                            HasClear = line.Contains("clear"),
                            HasRemove = line.Contains("remove"),
                        };
                        break;
                    default:
                        if (new Version(Option(line, "since") ?? "7.5") > Iis || (line.Contains("wide") && !wide)) { break; }
                        attributes.RemoveAll(earlier => earlier.Name == line[0]);
                        attributes.Add(Attribute(line));
                        break;
                }
            }
            element.AttributeSchemas = new ConfigurationAttributeSchemaCollection(attributes);
            element.ChildElementSchemas = new ConfigurationElementSchemaCollection(children);
            return element;
        }

        private static ConfigurationAttributeSchema Attribute(string[] line)
        {
            string range = Option(line, "range");
            string values = Option(line, "values");
            return new ConfigurationAttributeSchema(line[0], line[1])
            {
                DefaultText = line[2] == "-" ? "" : line[2],
                IsRequired = line.Contains("required"),
                IsUniqueKey = line.Contains("key"),
                IsEncrypted = line.Contains("encrypted"),
                IsExpanded = line.Contains("expanded"),
                ValidationParameter = range,
                ValidationType = range == null ? Option(line, "check") : line[1] == "timeSpan" ? "timeSpanRange" : "integerRange",
                Values = values == null ? null : new ConfigurationEnumValueCollection(values.Split(',').Select(pair => pair.Split(':'))
                    .Select(pair => new ConfigurationEnumValue(pair[0], long.Parse(pair[1], CultureInfo.InvariantCulture)))),
            };
        }

        private static string Option(string[] line, string name)
        {
            string found = line.FirstOrDefault(word => word.StartsWith(name + "=", StringComparison.Ordinal));
            return found == null ? null : found.Substring(name.Length + 1);
        }

        private static Version Major(string version) { var full = new Version(version); return new Version(full.Major, full.Minor); }
    }
}
