// Two questions about scripts, answered by the engine itself: what its parser makes of a text, and what members a type
// has in the assemblies of Windows PowerShell. Those are read as metadata and never loaded.
using System;
using System.Collections;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

public static class Facts
{
    private static readonly JsonSerializerOptions Deep = new JsonSerializerOptions { MaxDepth = 2000 };

    /// <summary>A question and its answer, both as JSON: {"tree": text} or {"members": type}.</summary>
    public static string Answer(string question)
    {
        JsonElement asked = JsonDocument.Parse(question).RootElement, text;
        object answer = asked.TryGetProperty("tree", out text) ? Tree(text.GetString()) : Members(asked.GetProperty("members").GetString());
        return JsonSerializer.Serialize(answer, Deep);
    }

    /// <summary>A node as {kind, start, end, text, and its properties by name}; nodes below it likewise.</summary>
    private static object Tree(string text)
    {
        Token[] tokens;
        ParseError[] errors;
        ScriptBlockAst root = Parser.ParseInput(text, out tokens, out errors);
        return new Dictionary<string, object>
        {
            ["errors"] = errors.Select(error => "line " + error.Extent.StartLineNumber + ": " + error.Message).ToArray(),
            ["root"] = Node(root),
        };
    }

    private static Dictionary<string, object> Node(Ast ast)
    {
        var node = new Dictionary<string, object>
        {
            ["kind"] = ast.GetType().Name, ["start"] = ast.Extent.StartOffset, ["end"] = ast.Extent.EndOffset,
            ["line"] = ast.Extent.StartLineNumber, ["text"] = ast.Extent.Text,
        };
        foreach (var property in ast.GetType().GetProperties().Where(p => p.Name != "Parent" && p.GetIndexParameters().Length == 0))
        {
            object value = Value(property.GetValue(ast));
            if (value != null) { node[property.Name] = value; }
        }
        return node;
    }

    private static object Value(object value)
    {
        switch (value)
        {
            case Ast ast: return Node(ast);
            case ITypeName name: return name.FullName;
            case VariablePath path: return path.UserPath;
            case string or bool or int or long or double: return value;
            case Enum word: return word.ToString();
            case ITuple pair: return Enumerable.Range(0, pair.Length).Select(i => Value(pair[i])).ToArray();
            case IEnumerable many: return many.Cast<object>().Select(Value).Where(item => item != null).ToArray();
            default: return null;
        }
    }

    private static CSharpCompilation windows;
    private static readonly Dictionary<string, ITypeSymbol> seen = new Dictionary<string, ITypeSymbol>();

    /// <summary>What Members looks in: assemblies, and C# files for types of which there is no assembly.</summary>
    public static void Read(string[] assemblies, string[] sources)
    {
        windows = CSharpCompilation.Create("windows", sources.Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(file))),
            assemblies.Select(file => MetadataReference.CreateFromFile(file)));
    }

    /// <summary>
    /// {name, interfaces, members: [{name, kind, static, type, least, most}]}, inherited ones too; least and most are the numbers of
    /// arguments that a method takes. Null where there is no such type.
    /// </summary>
    private static object Members(string name)
    {
        ITypeSymbol type = Find(name);
        if (type == null || type.TypeKind == TypeKind.Error) { return null; }
        var members = new List<object>();
        foreach (ITypeSymbol level in Levels(type))
        {
            foreach (ISymbol member in level.GetMembers().Where(m => m.DeclaredAccessibility == Accessibility.Public))
            {
                bool constructor = member is IMethodSymbol { MethodKind: MethodKind.Constructor };
                // A base's constructors are not inherited; its statics are found through the type all the same.
                if (constructor && !SymbolEqualityComparer.Default.Equals(level, type)) { continue; }
                if (member is IMethodSymbol { MethodKind: MethodKind.PropertyGet or MethodKind.PropertySet }) { continue; }
                members.Add(new Dictionary<string, object>
                {
                    ["name"] = constructor ? "new" : member.Name, ["kind"] = member.Kind.ToString(), ["static"] = member.IsStatic,
                    ["type"] = member switch
                    {
                        IMethodSymbol method => Name(method.ReturnType), IPropertySymbol property => Name(property.Type),
                        IFieldSymbol field => Name(field.Type), _ => "",
                    },
                    ["least"] = Parameters(member).Count(p => !p.IsOptional && !p.IsParams),
                    ["most"] = Parameters(member).Any(p => p.IsParams) ? 99 : Parameters(member).Count(),
                });
            }
        }
        return new Dictionary<string, object>
        {
            ["name"] = Name(type), ["members"] = members,
            ["interfaces"] = type.AllInterfaces.Select(Name).ToArray(), ["enum"] = type.TypeKind == TypeKind.Enum,
        };
    }

    private static IEnumerable<IParameterSymbol> Parameters(ISymbol member)
    {
        return member is IMethodSymbol method ? method.Parameters : Enumerable.Empty<IParameterSymbol>();
    }

    private static IEnumerable<ITypeSymbol> Levels(ITypeSymbol type)
    {
        for (ITypeSymbol level = type; level != null;)
        {
            yield return level;
            INamedTypeSymbol below = level.BaseType;
            // The engine's assembly is made for another core library: its bases are found by their names.
            level = below is { TypeKind: TypeKind.Error } ? Find(below.ToDisplayString()) : below;
        }
        if (type.TypeKind == TypeKind.Interface)
        {
            foreach (INamedTypeSymbol inherited in type.AllInterfaces) { yield return inherited; }
            yield return Find("System.Object");
        }
    }

    private static string Name(ITypeSymbol type)
    {
        string name = type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat
            .WithGlobalNamespaceStyle(SymbolDisplayGlobalNamespaceStyle.Omitted)
            .WithMiscellaneousOptions(SymbolDisplayMiscellaneousOptions.None));
        seen[name] = type;
        return name;
    }

    /// <summary>By a name that Members gave, or as PowerShell writes it: Namespace.Type, Type[], Generic[argument,argument].</summary>
    private static ITypeSymbol Find(string name)
    {
        ITypeSymbol known;
        if (seen.TryGetValue(name, out known) && known.TypeKind != TypeKind.Error) { return known; }
        if (name.EndsWith("[]", StringComparison.Ordinal))
        {
            ITypeSymbol element = Find(name.Substring(0, name.Length - 2));
            return element == null ? null : windows.CreateArrayTypeSymbol(element);
        }
        int open = name.IndexOf('[');
        if (open < 0)
        {
            return windows.GetTypeByMetadataName(name)
                ?? windows.References.Select(r => (windows.GetAssemblyOrModuleSymbol(r) as IAssemblySymbol)?.GetTypeByMetadataName(name)).FirstOrDefault(t => t != null);
        }
        ITypeSymbol[] arguments = name.Substring(open + 1, name.Length - open - 2).Split(',').Select(a => Find(a.Trim())).ToArray();
        var generic = windows.GetTypeByMetadataName(name.Substring(0, open) + "`" + arguments.Length);
        return generic == null || arguments.Contains(null) ? null : generic.Construct(arguments);
    }
}
