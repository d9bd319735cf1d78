// Exceptions that were really thrown, through frames with the names of ASP.NET's, as tests/cases/log_filters says.
using System;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Web;
using System.Web.Hosting;

namespace System.Web
{
    public class HttpException : ExternalException
    {
        public HttpException(string message, Exception inner) : base(message, inner) { }
    }

    public sealed class HttpUnhandledException : HttpException
    {
        public HttpUnhandledException(Exception inner) : base("Exception of type 'System.Web.HttpUnhandledException' was thrown.", inner) { }
    }
}

namespace System.Web.Hosting
{
    public sealed class IIS7WorkerRequest
    {
        readonly string _message;
        readonly int _result;

        public IIS7WorkerRequest(string message, int result) { _message = message; _result = result; }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public void ExplicitFlush() { RaiseCommunicationError(_result, true); }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public void ReadEntityCoreSync() { RaiseCommunicationError(_result, true); }

        // The client is still connected: an inner COMException. It went away: none.
        [MethodImpl(MethodImplOptions.NoInlining)]
        void RaiseCommunicationError(int result, bool throwOnDisconnect)
        {
            var code = "0x" + result.ToString("X8");
            throw new HttpException(string.Format(_message, code), new COMException(
                "The request is not supported. (Exception from HRESULT: " + code + ")", result));
        }
    }
}

namespace Contoso
{
    // An application's own classes, which happen to have such a method, such a code, such a wrapper.
    public static class Buffer
    {
        [MethodImpl(MethodImplOptions.NoInlining)]
        public static void ExplicitFlush(int result) { throw new IOException("The request is not supported : 0x" + result.ToString("X8"), result); }
    }

    public static class Files
    {
        [MethodImpl(MethodImplOptions.NoInlining)]
        public static void Lock(int result) { throw new IOException("The request is not supported. (Exception from HRESULT: 0x" + result.ToString("X8") + ")", result); }
    }
}

namespace Tests
{
    // Says what was written down: a .NET Framework's text, in whatever language.
    public sealed class Told : Exception
    {
        readonly string _text;
        public Told(string text) { _text = text; }
        public override string ToString() { return _text; }
    }

    public static class Thrown
    {
        const string English = "An error occurred while communicating with the remote host. The error code is {0}.";

        public static Exception From(JsonElement given)
        {
            JsonElement inner, text;
            if (given.TryGetProperty("text", out text)) return new Told(text.GetString());
            if (given.TryGetProperty("around", out inner))
                return Caught(() => throw Around(given.GetProperty("type").GetString(), inner.EnumerateArray().Select(From).ToArray()));
            var result = Convert.ToInt32(given.GetProperty("code").GetString(), 16);
            var message = given.TryGetProperty("message", out text) ? text.GetString() : English;
            switch (given.GetProperty("from").GetString())
            {
                case "ExplicitFlush": return Caught(() => new IIS7WorkerRequest(message, result).ExplicitFlush());
                case "ReadEntityCoreSync": return Caught(() => new IIS7WorkerRequest(message, result).ReadEntityCoreSync());
                case "Contoso.Files": return Caught(() => Contoso.Files.Lock(result));
                case "Contoso.Buffer": return Caught(() => Contoso.Buffer.ExplicitFlush(result));
                default: throw new ArgumentException("from: " + given);
            }
        }

        static Exception Around(string type, Exception[] inner)
        {
            switch (type)
            {
                case "AggregateException": return new AggregateException(inner);
                case "HttpUnhandledException": return new HttpUnhandledException(inner.Single());
                case "TargetInvocationException": return new TargetInvocationException(inner.Single());
                case "InvalidOperationException": return new InvalidOperationException("The report could not be sent.", inner.Single());
                default: throw new ArgumentException("type: " + type);
            }
        }

        static Exception Caught(Action action)
        {
            try { action(); }
            catch (Exception exception) { return exception; }
            throw new InvalidOperationException("nothing was thrown");
        }
    }
}
