// A filter put where its user would put it, and cases logged through the real logger: which of them come out?
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Xml;
using log4net.Appender;
using Microsoft.Extensions.Configuration;
using NLog.Config;
using NLog.Targets;
using Serilog;
using Serilog.Core;
using Serilog.Events;

namespace Tests
{
    // No message: the exception alone, in the way that the logger has for it.
    public sealed class Case
    {
        public string Name, Level, Message;
        public Exception Exception;
    }

    public static class Loggers
    {
        static Loggers()
        {
            AppDomain.CurrentDomain.AssemblyResolve += (_, wanted) => AppDomain.CurrentDomain.GetAssemblies()
                .FirstOrDefault(each => each.GetName().Name == new AssemblyName(wanted.Name).Name);
        }

        // {"logger", "format", "text", "cases": [{"name", "level", "message", "exception"}]} -> names of what came out
        public static string Ask(string question, Type compiled)
        {
            var root = JsonDocument.Parse(question).RootElement;
            var text = root.GetProperty("text").GetString();
            var cases = root.GetProperty("cases").EnumerateArray().Select(Read).ToList();
            List<string> names;
            switch (root.GetProperty("logger").GetString() + "." + root.GetProperty("format").GetString())
            {
                case "nlog.xml": names = ThroughNLog(XmlLoggingConfiguration.CreateFromXmlString(
                    "<nlog><targets><target type='Memory' name='log' layout='${logger}' /></targets><rules>"
                    + "<logger name='*' minlevel='Trace' writeTo='log'>" + text + "</logger></rules></nlog>"), cases); break;
                case "nlog.json": names = ThroughNLog(new JsonForNLog(text), cases); break;
                case "serilog.cs": names = ThroughSerilog(
                    (LoggerConfiguration)compiled.GetMethod("Given").Invoke(null, new object[] { new LoggerConfiguration() }), cases); break;
                case "serilog.json": names = ThroughSerilog(
                    new LoggerConfiguration().ReadFrom.Configuration(Json(text)), cases); break;
                case "serilog.xml": names = ThroughSerilog(new LoggerConfiguration().ReadFrom.KeyValuePairs(AppSettings(text)), cases); break;
                case "log4net.xml": names = ThroughLog4Net(text, cases); break;
                case "none.none": return JsonSerializer.Serialize(cases.ToDictionary(each => each.Name, Texts));
                default: throw new ArgumentException(question);
            }
            return JsonSerializer.Serialize(names);
        }

        static Case Read(JsonElement given)
        {
            var exception = given.GetProperty("exception");
            return new Case
            {
                Name = given.GetProperty("name").GetString(),
                Level = given.GetProperty("level").GetString(),
                Message = given.GetProperty("message").GetString(),
                Exception = exception.ValueKind == JsonValueKind.Null ? null : Thrown.From(exception),
            };
        }

        // What ELMAH's bindings of these names would say.
        static Dictionary<string, string> Texts(Case each)
        {
            return each.Exception == null ? null : new Dictionary<string, string>
            {
                { "Exception", each.Exception.ToString() }, { "BaseException", each.Exception.GetBaseException().ToString() },
            };
        }

        static List<string> ThroughNLog(LoggingConfiguration configuration, List<Case> cases)
        {
            var factory = new NLog.LogFactory { Configuration = configuration };
            foreach (var each in cases)
            {
                var level = NLog.LogLevel.FromString(each.Level);
                var logger = factory.GetLogger(each.Name);
                if (each.Message == null) logger.Log(level, each.Exception);
                else logger.Log(level, each.Exception, each.Message);
            }
            return configuration.FindTargetByName<MemoryTarget>("log").Logs.ToList();
        }

        static List<string> ThroughSerilog(LoggerConfiguration configuration, List<Case> cases)
        {
            var sink = new Sink();
            Func<string, LogEventLevel> level = name => (LogEventLevel)Enum.Parse(typeof(LogEventLevel),
                name == "Info" ? "Information" : name == "Warn" ? "Warning" : name);
            using (var logger = configuration.MinimumLevel.Verbose().WriteTo.Sink(sink).CreateLogger())
                foreach (var each in cases)
                    logger.ForContext("Case", each.Name).Write(
                        level(each.Level), each.Exception, "{Text}", each.Message ?? "");
            return sink.Names;
        }

        static List<string> ThroughLog4Net(string filter, List<Case> cases)
        {
            var document = new XmlDocument();
            document.LoadXml("<log4net><appender name='log' type='log4net.Appender.MemoryAppender'>" + filter
                + "</appender><root><level value='ALL' /><appender-ref ref='log' /></root></log4net>");
            var repository = log4net.LogManager.CreateRepository("tests");
            var troubles = log4net.Config.XmlConfigurator.Configure(repository, document.DocumentElement);
            if (troubles.Count > 0) throw new InvalidOperationException(string.Join("; ", troubles.Cast<object>()));
            foreach (var each in cases)
            {
                var level = repository.LevelMap[each.Level.ToUpperInvariant()];
                var logger = log4net.LogManager.GetLogger("tests", each.Name).Logger;
                if (each.Message == null) logger.Log(null, level, each.Exception, null);
                else logger.Log(null, level, each.Message, each.Exception);
            }
            return repository.GetAppenders().OfType<MemoryAppender>().Single().GetEvents().Select(each => each.LoggerName).ToList();
        }

        static IConfigurationRoot Json(string text)
        {
            return new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(text))).Build();
        }

        // What Serilog.Settings.AppSettings does: the keys that begin with "serilog:", without that.
        static IEnumerable<KeyValuePair<string, string>> AppSettings(string text)
        {
            var document = new XmlDocument();
            document.LoadXml(text);
            return document.SelectNodes("/appSettings/add").Cast<XmlElement>()
                .Where(each => each.GetAttribute("key").StartsWith("serilog:"))
                .ToDictionary(each => each.GetAttribute("key").Substring("serilog:".Length), each => each.GetAttribute("value"));
        }

        sealed class Sink : ILogEventSink
        {
            public readonly List<string> Names = new List<string>();
            public void Emit(LogEvent given) { Names.Add((string)((ScalarValue)given.Properties["Case"]).Value); }
        }

        // As NLog.Extensions.Logging hands appsettings.json to NLog's parser: plain members are values, the others elements.
        sealed class JsonForNLog : LoggingConfigurationParser
        {
            public JsonForNLog(string filter) : base(new NLog.LogFactory())
            {
                var rule = "{\"logger\": \"*\", \"minLevel\": \"Trace\", \"writeTo\": \"log\"," + filter.Trim().Substring(1);
                LoadConfig(new Element(Json("{\"NLog\": {\"rules\": [" + rule
                    + "], \"targets\": {\"log\": {\"type\": \"Memory\", \"layout\": \"${logger}\"}}}}").GetSection("NLog"), null), null);
            }

            sealed class Element : ILoggingConfigurationElement
            {
                readonly IConfigurationSection _section;
                readonly string _name;

                public Element(IConfigurationSection section, string name) { _section = section; _name = name; }

                public string Name { get { return _name ?? _section.Key; } }

                public IEnumerable<KeyValuePair<string, string>> Values
                {
                    get
                    {
                        var plain = _section.GetChildren().Where(each => !each.GetChildren().Any())
                            .Select(each => new KeyValuePair<string, string>(each.Key, each.Value));
                        return _name == null ? plain : plain.Append(new KeyValuePair<string, string>("name", _section.Key));
                    }
                }

                public IEnumerable<ILoggingConfigurationElement> Children
                {
                    get
                    {
                        return _section.GetChildren().Where(each => each.GetChildren().Any())
                            .Select(each => new Element(each, _section.Key == "targets" ? "target" : null));
                    }
                }
            }
        }
    }
}
