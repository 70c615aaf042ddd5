import Foundation
import JSON
import Testing

@testable import Gateway

/// The reference of requests and the reader say the same. That no name of a body is missing is the
/// compiler's: both switch over the same sets of names.
@Suite struct ReferenceOfRequests {
    /// What the members of `object` are described as.
    private func properties(_ object: ObjectContext) throws -> [ReferenceSchema.Property] {
        let schema = try #require(testReference.objects.first { $0.name == object.name }).schema
        return object.choice.map { schema.choices[$0].properties } ?? schema.properties
    }

    /// What is wrong with a body; nil when nothing is.
    private func fault(_ body: String) throws -> RequestFault? {
        do {
            _ = try readRequest(body: body)
            return nil
        } catch let fault as RequestFault {
            return fault
        }
    }

    @Test func `every object of requests is probed`() {
        let named = ["ChatCompletionRequest"] + testReference.requestObjects.map(\.name)
        #expect(Set(named) == Set(ObjectContext.all.map(\.name)))
        for (name, schema) in testReference.requestObjects where !schema.choices.isEmpty {
            let choices = ObjectContext.all.filter { $0.name == name }.compactMap(\.choice)
            #expect(choices.sorted() == Array(schema.choices.indices))
        }
        #expect(named.count == Set(named).count)
    }

    @Test(arguments: ObjectContext.all)
    func `what the reference forbids the reader refuses, by the member's name`(
        _ object: ObjectContext
    ) throws {
        #expect(try fault(object.body(replacing: [:])) == nil)
        var probes = 0
        for property in try properties(object) {
            for bad in property.schema.badValues {
                let body = object.body(replacing: [property.name: bad])
                guard let fault = try fault(body) else {
                    Issue.record("\(object.name).\(property.name) may be \(bad.prefix(80))")
                    continue
                }
                let path = try #require(fault.parameter, "\(body.prefix(200))")
                #expect(path.contains(property.name), "\(body.prefix(200)): \(fault.message)")
                probes += 1
            }
        }
        #expect(probes > 0)
    }

    @Test(arguments: ObjectContext.all)
    func `what the reference requires the reader requires, and nothing more`(
        _ object: ObjectContext
    ) throws {
        for property in try properties(object) {
            let fault = try fault(object.body(replacing: [property.name: nil]))
            // A message needs no content beside calls, which its description says.
            let isContent = object.name == "Message" && property.name == "content"
            #expect((fault != nil) == (property.isRequired || isContent), "\(property.name)")
            guard !property.isRequired, !isContent else { continue }
            #expect(try self.fault(object.body(replacing: [property.name: "null"])) == nil)
        }
    }

    /// What some values need beside them.
    private static let companions: [String: [String: String?]] = [
        "top_logprobs": ["logprobs": "true"],
        "tool_choice": ["tools": #"[{"type":"function","function":{"name":"f"}}]"#],
        "function_call": ["functions": #"[{"name":"f"}]"#],
        "modalities": ["audio": #"{"voice":"alloy","format":"wav"}"#],
    ]

    @Test func `every bound and every word of the reference is taken`() throws {
        let request = ObjectContext.all[0]
        var probes = 0
        for property in try properties(request) {
            let schemas = [property.schema] + property.schema.choices
            let schemaValues = schemas.flatMap(\.values)
            let bounds = schemas.flatMap { [$0.excludesMinimum ? nil : $0.minimum, $0.maximum] }
            for value in (schemaValues + bounds.compactMap(\.self)) {
                var changes = Self.companions[property.name] ?? [:]
                // The functions are there, and are not required here.
                changes[property.name] = value.text
                let fault = try fault(request.body(replacing: changes))
                #expect(fault == nil, "\(property.name): \(value.text): \(fault?.message ?? "")")
                probes += 1
            }
        }
        #expect(probes > 50)
    }

    @Test(arguments: ReferenceExamples.requests.map(\.body.description))
    func `an example is a request that is taken`(_ body: String) throws {
        #expect(try fault(body) == nil)
    }

    @Test func `the body in the curl example is a request that is taken`() throws {
        let program = try #require(ReferenceExamples.programs(.chatCompletions).first)
        let body = try #require(
            program.source.split(separator: "-d '").last?.split(separator: "'").first)
        #expect(try fault(String(body)) == nil)
    }

    @Test func `every name that the reader's sources mention is described`() throws {
        let described = ReferenceNames.of(testReference)
        var mentioned: Set<String> = []
        for file in try SourceNames.files("Wire/Request") {
            mentioned.formUnion(SourceNames.literals(in: file))
        }
        #expect(mentioned.count > 60)
        mentioned = mentioned.filter { $0.count > 1 }
        #expect(mentioned.subtracting(described) == [])
    }
}

/// Words in the program's own sources.
enum SourceNames {
    /// The texts of the Swift files of a folder of the gateway.
    static func files(_ folder: String) throws -> [String] {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../Sources/Gateway/\(folder)").standardizedFileURL
        return try FileManager.default.contentsOfDirectory(atPath: root.path)
            .filter { $0.hasSuffix(".swift") }
            .map { try String(contentsOf: root.appending(path: $0), encoding: .utf8) }
    }

    /// The string literals that look like names of the API, outside of comments.
    static func literals(in source: String) -> Set<String> {
        let lines = source.split(separator: "\n").filter { !$0.contains("//") }
        return Set(
            lines.flatMap { line in
                line.matches(of: #/"([a-z]+(?:_[a-z]+)*)"/#).map { String($0.1) }
            })
    }
}

/// Every word that a reference tells.
enum ReferenceNames {
    /// Names of members and their words.
    static func of(_ reference: APIReference) -> Set<String> {
        var names: Set<String> = []
        for object in reference.objects { collect(object.schema, into: &names) }
        return names
    }

    private static func collect(_ schema: ReferenceSchema, into names: inout Set<String>) {
        for case .string(let word) in schema.values { names.insert(word) }
        for property in schema.properties {
            names.insert(property.name)
            collect(property.schema, into: &names)
        }
        for inner in schema.choices + schema.items + schema.others { collect(inner, into: &names) }
    }
}
