"""Names for the simulated servers' pools and sites: ordinary ones, and legal ones that break careless tools."""

NASTY = (
    "{{ inventory_hostname }}", "{% raw %}", "$(calc)", "a'b`n", "%PATH%", "Ünï", "yes", "007", "- x", "#x",
    "!unsafe x", "www.contoso.example", "null", "~", "1e3", "C#.NET {0}", "日本語", "--check",
)  # fmt: skip

ORDINARY = (
    "Contoso Shop", "Reports", "Intranet", "Billing", "CRM", "HelpDesk", "Search", "Identity", "Payments",
    "Hangfire Jobs", "api.contoso.example", "api-v2.contoso.example", "Classic .NET AppPool", ".NET v4.5",
    "Umbraco (staging)", "SharePoint - 80", "Fabrikam_Web", "Telemetry", "Orders", "OrdersImport", "Warehouse",
    "Signing Service", "Documents", "mobile.fabrikam.example", "Partner Portal", "Print Service", "HR", "Payroll",
    "Webhooks", "Scheduling",
)  # fmt: skip

SITES = ("intranet", "Extranet (new)", "Ünï Portal", "{{ ansible_host }}", "Fabrikam")
