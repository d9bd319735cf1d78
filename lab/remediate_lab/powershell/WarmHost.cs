// A console host that runs one command after the other, each in a runspace of its own: what a process of its own does
// once, starting and compiling, is done once for many. See warm.py for what may be run here, and for the messages.
//
// The rule: to a command this is a console. What it prints goes where a console's would, with messages as CLIXML on
// standard error, as they are with -EncodedCommand and a redirected stderr; environment and folder are as they were told.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Management.Automation.Runspaces;
using System.Security;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Xml;
using Microsoft.Win32.SafeHandles;

namespace Remediate.Lab
{
    public static class WarmHost
    {
        private sealed class Order
        {
            internal string Script, Folder;
            internal Dictionary<string, string> Environment;
            internal byte[] Input;
        }

        /// <summary>Take orders from one file descriptor and answer on another, until the first is closed.</summary>
        public static void Serve(int ordersFrom, int answersTo)
        {
            var orders = new FileStream(new SafeFileHandle((IntPtr)ordersFrom, true), FileAccess.Read, 1);
            var answers = new Answers(new FileStream(new SafeFileHandle((IntPtr)answersTo, true), FileAccess.Write, 1));
            for (Order order = Next(orders); order != null; )
            {
                // Looked for while this one runs: whoever closes the orders wants this process gone, whatever it does.
                Order following = null;
                var watch = new Thread(() => { if ((following = Next(orders)) == null) { Environment.Exit(0); } }) { IsBackground = true };
                watch.Start();
                answers.Exit(Run(order, answers));
                watch.Join();
                order = following;
            }
        }

        private static Order Next(Stream stream)
        {
            var head = new MemoryStream();
            for (int one = stream.ReadByte(); one != '\n'; one = stream.ReadByte())
            {
                if (one < 0) { return null; }
                head.WriteByte((byte)one);
            }
            using (JsonDocument json = JsonDocument.Parse(head.ToArray()))
            {
                JsonElement root = json.RootElement;
                var input = new byte[root.GetProperty("input").GetInt32()];
                for (int got = 0; got < input.Length; )
                {
                    int more = stream.Read(input, got, input.Length - got);
                    if (more == 0) { return null; }
                    got += more;
                }
                return new Order
                {
                    Script = root.GetProperty("script").GetString(),
                    Folder = root.GetProperty("folder").GetString(),
                    Environment = root.GetProperty("environment").EnumerateObject().ToDictionary(pair => pair.Name, pair => pair.Value.GetString()),
                    Input = input,
                };
            }
        }

        private static int Run(Order order, Answers answers)
        {
            foreach (string name in Environment.GetEnvironmentVariables().Keys.Cast<string>().ToList())
            {
                if (!order.Environment.ContainsKey(name)) { Environment.SetEnvironmentVariable(name, null); }
            }
            foreach (KeyValuePair<string, string> pair in order.Environment) { Environment.SetEnvironmentVariable(pair.Key, pair.Value); }
            TimeZoneInfo.ClearCachedData();
            Environment.CurrentDirectory = order.Folder;
            var output = new StreamWriter(answers.Stream((byte)'o'), new UTF8Encoding(false)) { AutoFlush = true, NewLine = "\n" };
            var errors = new StreamWriter(answers.Stream((byte)'e'), new UTF8Encoding(false)) { AutoFlush = true, NewLine = "\n" };
            Console.SetOut(output);
            Console.SetError(errors);
            Console.SetIn(new StreamReader(new MemoryStream(order.Input), new UTF8Encoding(false)));
            var host = new WarmConsole(output, errors);
            try { return Invoke(order, host); }
            finally { host.Messages.End(); }
        }

        private static int Invoke(Order order, WarmConsole host)
        {
            using (Runspace runspace = RunspaceFactory.CreateRunspace(host, InitialSessionState.CreateDefault2()))
            {
                runspace.Open();
                Runspace.DefaultRunspace = runspace;
                Exception trouble = Execute(runspace, order);
                if (trouble != null) { Show(runspace, trouble); }
                if (host.ExitCode.HasValue) { return host.ExitCode.Value; }
                using (Pipeline last = runspace.CreatePipeline("$global:?"))
                {
                    return trouble == null && LanguagePrimitives.IsTrue(last.Invoke().FirstOrDefault()) ? 0 : 1;
                }
            }
        }

        /// <summary>Run the command on its input, line by line; the exception that ended it, or null.</summary>
        private static Exception Execute(Runspace runspace, Order order)
        {
            using (Pipeline pipeline = runspace.CreatePipeline(order.Script))
            {
                pipeline.Commands[0].MergeMyResults(PipelineResultTypes.Error, PipelineResultTypes.Output);
                pipeline.Commands.Add(new Command("Out-Default", false, true));
                foreach (string line in Lines(order.Input)) { pipeline.Input.Write(line); }
                pipeline.Input.Close();
                try { pipeline.Invoke(new object[0]); }
                catch (RuntimeException error) { return error; }
                return pipeline.PipelineStateInfo.Reason;
            }
        }

        private static IEnumerable<string> Lines(byte[] input)
        {
            using (var reader = new StreamReader(new MemoryStream(input), new UTF8Encoding(false)))
            {
                for (string line = reader.ReadLine(); line != null; line = reader.ReadLine()) { yield return line; }
            }
        }

        private static void Show(Runspace runspace, Exception trouble)
        {
            var known = trouble as IContainsErrorRecord;
            ErrorRecord record = known == null ? new ErrorRecord(trouble, "WarmHost", ErrorCategory.NotSpecified, null) : known.ErrorRecord;
            using (Pipeline pipeline = runspace.CreatePipeline("($input | Out-String).TrimEnd() -split '\\n' | ForEach-Object { $Host.UI.WriteErrorLine($_) }"))
            {
                pipeline.Input.Write(record);
                pipeline.Input.Close();
                pipeline.Invoke();
            }
        }
    }

    /// <summary>Messages to the lab: a letter, the length in four bytes (big-endian), and so many bytes.</summary>
    internal sealed class Answers
    {
        private readonly Stream to;

        internal Answers(Stream to) { this.to = to; }

        internal Stream Stream(byte letter) { return new Part(this, letter); }

        internal void Exit(int code) { Send((byte)'x', BitConverter.GetBytes(System.Net.IPAddress.HostToNetworkOrder(code)), 0, 4); }

        private void Send(byte letter, byte[] data, int offset, int count)
        {
            if (count == 0) { return; }
            byte[] size = BitConverter.GetBytes(System.Net.IPAddress.HostToNetworkOrder(count));
            lock (to)
            {
                to.Write(new[] { letter, size[0], size[1], size[2], size[3] }, 0, 5);
                to.Write(data, offset, count);
                to.Flush();
            }
        }

        private sealed class Part : Stream
        {
            private readonly Answers answers;
            private readonly byte letter;

            internal Part(Answers answers, byte letter) { this.answers = answers; this.letter = letter; }

            public override bool CanRead { get { return false; } }
            public override bool CanSeek { get { return false; } }
            public override bool CanWrite { get { return true; } }
            public override long Length { get { throw new NotSupportedException(); } }
            public override long Position { get { throw new NotSupportedException(); } set { throw new NotSupportedException(); } }
            public override void Flush() { }
            public override int Read(byte[] buffer, int offset, int count) { throw new NotSupportedException(); }
            public override long Seek(long offset, SeekOrigin origin) { throw new NotSupportedException(); }
            public override void SetLength(long value) { throw new NotSupportedException(); }
            public override void Write(byte[] buffer, int offset, int count) { answers.Send(letter, buffer, offset, count); }
        }
    }

    /// <summary>Errors, warnings and the like on standard error, as one CLIXML document of texts.</summary>
    internal sealed class Messages
    {
        private readonly TextWriter to;
        private bool begun;

        internal Messages(TextWriter to) { this.to = to; }

        internal void Write(string kind, string text)
        {
            string head = begun ? "" : "#< CLIXML\n<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\">";
            begun = true;
            to.Write(head + "<S S=\"" + kind + "\">" + Escape(text + "\n") + "</S>");
        }

        internal void End()
        {
            if (begun) { to.Write("</Objs>"); }
            to.Flush();
        }

        /// <summary>As CLIXML has it: what XML cannot hold, line ends, and what would read as such an escape.</summary>
        private static string Escape(string text)
        {
            var escaped = new StringBuilder();
            for (int at = 0; at < text.Length; at++)
            {
                char one = text[at];
                bool pair = char.IsHighSurrogate(one) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]);
                if (pair) { escaped.Append(one).Append(text[++at]); }
                else if (!XmlConvert.IsXmlChar(one) || one < ' ' || (one == '_' && at + 1 < text.Length && (text[at + 1] == 'x' || text[at + 1] == 'X')))
                {
                    escaped.AppendFormat(CultureInfo.InvariantCulture, "_x{0:X4}_", (int)one);
                }
                else { escaped.Append(SecurityElement.Escape(one.ToString())); }
            }
            return escaped.ToString();
        }
    }

    internal sealed class WarmConsole : PSHost
    {
        internal readonly Messages Messages;
        private readonly Guid id = Guid.NewGuid();
        private readonly WarmScreen screen;

        internal WarmConsole(TextWriter output, TextWriter errors)
        {
            Messages = new Messages(errors);
            screen = new WarmScreen(output, Messages);
        }

        internal int? ExitCode { get; private set; }

        public override CultureInfo CurrentCulture { get { return CultureInfo.CurrentCulture; } }
        public override CultureInfo CurrentUICulture { get { return CultureInfo.CurrentUICulture; } }
        public override Guid InstanceId { get { return id; } }
        public override string Name { get { return "ConsoleHost"; } }
        public override PSHostUserInterface UI { get { return screen; } }
        public override Version Version { get { return new Version(7, 0); } }
        public override void EnterNestedPrompt() { throw new NotSupportedException(); }
        public override void ExitNestedPrompt() { throw new NotSupportedException(); }
        public override void NotifyBeginApplication() { }
        public override void NotifyEndApplication() { }
        public override void SetShouldExit(int exitCode) { ExitCode = exitCode; }
    }

    /// <summary>A screen that nobody sits at: it can be written to, and every question is refused.</summary>
    internal sealed class WarmScreen : PSHostUserInterface
    {
        private readonly TextWriter output;
        private readonly Messages messages;

        internal WarmScreen(TextWriter output, Messages messages) { this.output = output; this.messages = messages; }

        public override PSHostRawUserInterface RawUI { get { return null; } }
        public override void Write(string value) { output.Write(Plain(value)); }
        public override void Write(ConsoleColor foreground, ConsoleColor background, string value) { output.Write(Plain(value)); }
        public override void WriteLine(string value) { output.WriteLine(Plain(value)); }
        public override void WriteErrorLine(string value) { messages.Write("Error", Plain(value)); }
        public override void WriteWarningLine(string message) { messages.Write("Warning", message); }
        public override void WriteVerboseLine(string message) { messages.Write("Verbose", message); }
        public override void WriteDebugLine(string message) { messages.Write("Debug", message); }
        public override void WriteProgress(long sourceId, ProgressRecord record) { }

        public override Dictionary<string, PSObject> Prompt(string caption, string message, System.Collections.ObjectModel.Collection<FieldDescription> descriptions)
        {
            throw Nobody();
        }

        public override int PromptForChoice(string caption, string message, System.Collections.ObjectModel.Collection<ChoiceDescription> choices, int defaultChoice)
        {
            throw Nobody();
        }

        public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) { throw Nobody(); }

        public override PSCredential PromptForCredential(
            string caption, string message, string userName, string targetName, PSCredentialTypes types, PSCredentialUIOptions options)
        {
            throw Nobody();
        }

        public override string ReadLine() { throw Nobody(); }
        public override SecureString ReadLineAsSecureString() { throw Nobody(); }

        /// <summary>Without the colours that the formatting puts in: taking them out is a console's part.</summary>
        private static string Plain(string text) { return GetOutputString(text, false); }

        private static Exception Nobody()
        {
            return new PSInvalidOperationException("PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.");
        }
    }
}
