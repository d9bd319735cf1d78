// Exceptions of .NET's own types and the names of IIS's frames, logged through the real loggers, each in the layouts that
// it has by default or that its documentation shows.
using System;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NLog.Layouts;
using Serilog;
using Serilog.Formatting.Compact;
using Serilog.Formatting.Json;

namespace System.Web
{
    // As in .NET Framework, its text has the HRESULT after the type's name.
    public class HttpException : ExternalException
    {
        public HttpException(int result, Exception inner)
            : base("An error occurred while communicating with the remote host. The error code is 0x" + result.ToString("X8") + ".", inner)
        {
            HResult = result;
        }
    }
}

namespace System.Web.Hosting
{
    public class IIS7WorkerRequest
    {
        [MethodImpl(MethodImplOptions.NoInlining)]
        public void ExplicitFlush(int result)
        {
            RaiseCommunicationError(result, false);
            GC.KeepAlive(this);
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        void RaiseCommunicationError(int result, bool throwOnDisconnect)
        {
            throw new HttpException(result, new COMException("translated", result));
        }
    }
}

namespace Tests
{
    public static class Writers
    {
        public static void Write(string folder)
        {
            AppDomain.CurrentDomain.AssemblyResolve += (_, wanted) => AppDomain.CurrentDomain.GetAssemblies()
                .FirstOrDefault(each => each.GetName().Name == new AssemblyName(wanted.Name).Name);
            Func<string, string> path = name => Path.Combine(folder, name);
            NLog(path("nlog.log"), null);
            NLog(path("nlog-json.log"), new JsonLayout
            {
                Attributes =
                {
                    new JsonAttribute("time", "${longdate}"), new JsonAttribute("level", "${level}"),
                    new JsonAttribute("exception", "${exception:format=ToString}"),
                },
            });
            Serilog(new LoggerConfiguration().WriteTo.File(path("serilog.log")));
            Serilog(new LoggerConfiguration().WriteTo.File(path("serilog-console-.log"), rollingInterval: RollingInterval.Day,
                outputTemplate: "[{Timestamp:HH:mm:ss} {Level:u3}] {Message:lj}{NewLine}{Exception}"));
            Serilog(new LoggerConfiguration().WriteTo.File(new CompactJsonFormatter(), path("serilog-clef.log")));
            Serilog(new LoggerConfiguration().WriteTo.File(new JsonFormatter(), path("serilog-json.log")));
            Log4Net(path("log4net.log"), "%date [%thread] %-5level %logger - %message%newline");
            Log4Net(path("log4net-iso.log"), "%-5level %date{ISO8601} [%thread] %logger: %message%newline%exception");
            Log4Net(path("log4net-xml.log"), new log4net.Layout.XmlLayout());
            Log4Net(path("log4j-xml.log"), new log4net.Layout.XmlLayoutSchemaLog4J());
        }

        static void Log(Action<string> fine, Action<Exception, string> failed)
        {
            fine("GET / answered in 80070 ms");
            foreach (var result in new[] { unchecked((int)0x80070032), unchecked((int)0x800704CD) })
            {
                try { new System.Web.Hosting.IIS7WorkerRequest().ExplicitFlush(result); }
                catch (Exception exception) { failed(new AggregateException(exception), "the answer could not be written"); }
                fine("GET / answered in 80071 ms");
            }
        }

        static void NLog(string path, Layout layout)
        {
            var target = new global::NLog.Targets.FileTarget("file") { FileName = path };
            if (layout != null) target.Layout = layout;
            var factory = new global::NLog.LogFactory();
            var configuration = new global::NLog.Config.LoggingConfiguration(factory);
            configuration.AddRuleForAllLevels(target);
            factory.Configuration = configuration;
            var logger = factory.GetLogger("Contoso.Shop");
            Log(text => logger.Info(text), (exception, text) => logger.Error(exception, text));
            factory.Shutdown();
        }

        static void Serilog(LoggerConfiguration configuration)
        {
            using (var logger = configuration.Enrich.WithProperty("MachineName", "WEB01").CreateLogger())
                Log(text => logger.Information(text), (exception, text) => logger.Error(exception, text));
        }

        static void Log4Net(string path, string pattern)
        {
            var layout = new log4net.Layout.PatternLayout(pattern);
            layout.ActivateOptions();
            Log4Net(path, layout);
        }

        static void Log4Net(string path, log4net.Layout.LayoutSkeleton layout)
        {
            var appender = new log4net.Appender.FileAppender { File = path, Layout = layout };
            appender.ActivateOptions();
            var repository = log4net.LogManager.CreateRepository(Path.GetFileName(path));
            log4net.Config.BasicConfigurator.Configure(repository, appender);
            var logger = log4net.LogManager.GetLogger(repository.Name, "Contoso.Shop");
            Log(text => logger.Info(text), (exception, text) => logger.Error(text, exception));
            repository.Shutdown();
        }
    }
}
