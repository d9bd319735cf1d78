// Application pools: typed faces of their elements.

using System;

namespace Microsoft.Web.Administration
{
    public enum ObjectState { Starting, Started, Stopping, Stopped, Unknown }

    public enum ManagedPipelineMode { Integrated, Classic }

    public enum StartMode { OnDemand, AlwaysRunning }

    public enum IdleTimeoutAction { Terminate, Suspend }

    public enum ProcessModelIdentityType { LocalSystem, LocalService, NetworkService, SpecificUser, ApplicationPoolIdentity }

    [Flags]
    public enum ProcessModelLogEventOnProcessModel { None = 0, IdleTimeout = 1 }

    [Flags]
    public enum RecyclingLogEventOnRecycle
    {
        None = 0, Time = 1, Requests = 2, Schedule = 4, Memory = 8, IsapiUnhealthy = 16, OnDemand = 32, ConfigChange = 64, PrivateMemory = 128,
    }

    public sealed class ApplicationPoolCollection : ConfigurationElementCollectionBase<ApplicationPool>
    {
        internal ApplicationPoolCollection() { }

        /// <summary>The pool of that name, in any case, or null.</summary>
        public new ApplicationPool this[string name] { get { return Named("name", name); } }

        /// <summary>
        /// Known: a name that is null or empty is an error, and one with an illegal character, before there is a pool. Not known: of
        /// which types. Here null and empty are an ArgumentNullException, the rest is what setting such a name is known to give.
        /// </summary>
        public ApplicationPool Add(string name)
        {
            if (string.IsNullOrEmpty(name)) { throw new ArgumentNullException("name"); }
            ApplicationPool pool = CreateElement();
            pool["name"] = name;
            return Add(pool);
        }

        /// <summary>Known.</summary>
        public static char[] InvalidApplicationPoolNameCharacters() { return "\\/\"|<>:*?][+=;,@&".ToCharArray(); }

        internal override ApplicationPool NewItem() { return new ApplicationPool(); }
    }

    /// <summary>What a pool and applicationPoolDefaults have in common; two separate classes in the real assembly.</summary>
    public abstract class ApplicationPoolSettings : ConfigurationElement
    {
        internal ApplicationPoolSettings() { }

        public bool AutoStart { get { return (bool)this["autoStart"]; } set { this["autoStart"] = value; } }
        public bool Enable32BitAppOnWin64 { get { return (bool)this["enable32BitAppOnWin64"]; } set { this["enable32BitAppOnWin64"] = value; } }
        public ManagedPipelineMode ManagedPipelineMode
        {
            get { return (ManagedPipelineMode)this["managedPipelineMode"]; }
            set { this["managedPipelineMode"] = (int)value; }
        }
        public string ManagedRuntimeVersion { get { return (string)this["managedRuntimeVersion"]; } set { this["managedRuntimeVersion"] = value; } }
        public long QueueLength { get { return (long)this["queueLength"]; } set { this["queueLength"] = value; } }
        public StartMode StartMode { get { return (StartMode)this["startMode"]; } set { this["startMode"] = (int)value; } }
        public ApplicationPoolProcessModel ProcessModel { get { return Child("processModel", new ApplicationPoolProcessModel()); } }
        public ApplicationPoolRecycling Recycling { get { return Child("recycling", new ApplicationPoolRecycling()); } }
        public object Cpu { get { throw Lab.Unsupported(GetType().Name + ".Cpu"); } }
        public object Failure { get { throw Lab.Unsupported(GetType().Name + ".Failure"); } }
    }

    public sealed class ApplicationPoolDefaults : ApplicationPoolSettings
    {
        internal ApplicationPoolDefaults() { }
    }

    public sealed class ApplicationPool : ApplicationPoolSettings
    {
        internal ApplicationPool() { }

        public string Name { get { return (string)this["name"]; } set { throw Lab.Unsupported("ApplicationPool.Name set"); } }

        public ObjectState State { get { return Owner.Lab.State(Name); } }
        public object WorkerProcesses { get { throw Lab.Unsupported("ApplicationPool.WorkerProcesses"); } }

        /// <summary>Noted in recycles.log. What a stopped pool says is not known; here it is an error.</summary>
        public ObjectState Recycle()
        {
            if (State == ObjectState.Stopped)
            {
                const string text = "The service has not been started. (Exception from HRESULT: 0x80070426)";
                throw new System.Runtime.InteropServices.COMException(text, unchecked((int)0x80070426));
            }
            Owner.Lab.Append("recycles.log", Name);
            return ObjectState.Started;
        }

        public ObjectState Start() { return Owner.Lab.SetState(Name, true); }
        public ObjectState Stop() { return Owner.Lab.SetState(Name, false); }

        public override string ToString() { return Name; }
    }

    public sealed class ApplicationPoolProcessModel : ConfigurationElement
    {
        internal ApplicationPoolProcessModel() { }

        public TimeSpan IdleTimeout { get { return (TimeSpan)this["idleTimeout"]; } set { this["idleTimeout"] = value; } }
        public IdleTimeoutAction IdleTimeoutAction
        {
            get { return (IdleTimeoutAction)this["idleTimeoutAction"]; }
            set { this["idleTimeoutAction"] = (int)value; }
        }
        public ProcessModelIdentityType IdentityType
        {
            get { return (ProcessModelIdentityType)this["identityType"]; }
            set { this["identityType"] = (int)value; }
        }
        public bool LoadUserProfile { get { return (bool)this["loadUserProfile"]; } set { this["loadUserProfile"] = value; } }
        public long MaxProcesses { get { return (long)this["maxProcesses"]; } set { this["maxProcesses"] = value; } }
        public ProcessModelLogEventOnProcessModel LogEventOnProcessModel
        {
            get { return (ProcessModelLogEventOnProcessModel)this["logEventOnProcessModel"]; }
            set { this["logEventOnProcessModel"] = (int)value; }
        }
        public string UserName { get { return (string)this["userName"]; } set { this["userName"] = value; } }

        /// <summary>Known: clear text.</summary>
        public string Password { get { return (string)this["password"]; } set { this["password"] = value; } }
    }

    public sealed class ApplicationPoolRecycling : ConfigurationElement
    {
        internal ApplicationPoolRecycling() { }

        public bool DisallowOverlappingRotation
        {
            get { return (bool)this["disallowOverlappingRotation"]; }
            set { this["disallowOverlappingRotation"] = value; }
        }
        public bool DisallowRotationOnConfigChange
        {
            get { return (bool)this["disallowRotationOnConfigChange"]; }
            set { this["disallowRotationOnConfigChange"] = value; }
        }
        public RecyclingLogEventOnRecycle LogEventOnRecycle
        {
            get { return (RecyclingLogEventOnRecycle)this["logEventOnRecycle"]; }
            set { this["logEventOnRecycle"] = (int)value; }
        }
        public ApplicationPoolPeriodicRestart PeriodicRestart { get { return Child("periodicRestart", new ApplicationPoolPeriodicRestart()); } }
    }

    public sealed class ApplicationPoolPeriodicRestart : ConfigurationElement
    {
        internal ApplicationPoolPeriodicRestart() { }

        public long Memory { get { return (long)this["memory"]; } set { this["memory"] = value; } }
        public long PrivateMemory { get { return (long)this["privateMemory"]; } set { this["privateMemory"] = value; } }
        public long Requests { get { return (long)this["requests"]; } set { this["requests"] = value; } }
        public TimeSpan Time { get { return (TimeSpan)this["time"]; } set { this["time"] = value; } }
        public ScheduleCollection Schedule { get { return Child("schedule", new ScheduleCollection()); } }
    }

    public sealed class ScheduleCollection : ConfigurationElementCollectionBase<Schedule>
    {
        internal ScheduleCollection() { }

        public Schedule Add(TimeSpan scheduleTime)
        {
            Schedule schedule = CreateElement();
            schedule.Time = scheduleTime;
            return Add(schedule);
        }

        internal override Schedule NewItem() { return new Schedule(); }
    }

    public sealed class Schedule : ConfigurationElement
    {
        internal Schedule() { }

        public TimeSpan Time { get { return (TimeSpan)this["value"]; } set { this["value"] = value; } }
    }
}
