using System;
using log4net.Core;
using log4net.Filter;

namespace Remediate
{
    public sealed class StartUpFlushFilter : FilterSkeleton
    {
        public override FilterDecision Decide(LoggingEvent loggingEvent)
        {
            // log.Error(exception) hands the exception over as the message.
            Exception exception = loggingEvent.ExceptionObject ?? loggingEvent.MessageObject as Exception;
            return exception != null && IsStartUpFlush(exception.ToString())
                ? FilterDecision.Deny
                : FilterDecision.Neutral;
        }

        // The text names the inner exceptions too; "#1)" is the second one of an AggregateException.
        private static bool IsStartUpFlush(string text)
        {
            return Has(text, "0x80070032") && Has(text, "IIS7WorkerRequest.ExplicitFlush") && !Has(text, "#1)");
        }

        private static bool Has(string text, string part)
        {
            return text.IndexOf(part, StringComparison.Ordinal) >= 0;
        }
    }
}
