/// The reference as one HTML page: no script, nothing from outside.
enum ReferencePage {
    /// The bytes of the page.
    static func write(_ reference: APIReference) -> [UInt8] {
        let sections: [(id: String, title: String, body: String)] =
            [("start", "Start", start)]
            + reference.operations.map { operation in
                (operation.id, operation.title, section(operation, reference))
            } + [
                (
                    "request-objects", "Objects in requests",
                    objects(reference.requestObjects, .client)
                ),
                (
                    "answer-objects", "Objects in answers",
                    objects(reference.answerObjects, .gateway)
                ),
                ("headers", "Headers of answers", headers),
                ("errors", "Errors", errors(reference.errors)),
            ]
        var page = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>Turnpike API</title>
            <style>\(ReferencePageStyle.css)</style>
            </head>
            <body>
            <header><h1>Turnpike API</h1></header>
            <nav aria-label="Contents"><ul>

            """
        for section in sections {
            page += "<li><a href=\"#\(section.id)\">\(HTML.text(section.title))</a></li>\n"
        }
        page += "</ul></nav>\n<main>\n"
        for section in sections {
            page += "<section id=\"\(section.id)\"><h2>\(HTML.text(section.title))</h2>\n"
            page += section.body + "</section>\n"
        }
        page += "</main>\n</body>\n</html>\n"
        return Array(page.utf8)
    }

    private static let start = """
        <p>Chat completions for any OpenAI client, behind quotas. Every request but those for this reference
        carries an API key: <code>Authorization: Bearer KEY</code>. Null is the same as absent everywhere in a
        request, and names that are not described here are ignored.</p>
        <p>The examples take the address of the gateway from <code>GATEWAY</code>, such as
        <code>http://127.0.0.1:8080</code>, and the key from <code>API_KEY</code>. For programs there is
        <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>

        """

    // MARK: Operations

    private static func section(
        _ operation: OperationReference, _ reference: APIReference
    ) -> String {
        var html = ""
        for (position, path) in operation.paths.enumerated() {
            let word = position == 0 ? "" : "also "
            html +=
                "<p class=\"path\">\(word)\(HTML.code("\(operation.route.method) \(path)"))</p>\n"
        }
        html += "<p>\(HTML.prose(operation.description))</p>\n"
        for program in ReferenceExamples.programs(operation.route) {
            html += "<h3>\(HTML.text(program.language))</h3>\n" + HTML.block(program.source)
        }
        if operation.route == .usage {
            html += "<h3>Query</h3>\n"
            html += ReferenceList(writer: .client, prefix: "query").html(
                BooksReference.parameters.map { .optional($0.name, $0.schema) })
        }
        if operation.route == .chatCompletions {
            let parameters = ReferenceList(writer: .client, prefix: "parameter")
            for group in reference.parameters {
                // A long list of names that say nothing more stands in columns.
                let isTerse = group.properties.allSatisfy(\.schema.description.isEmpty)
                html += "<h3>\(HTML.text(group.title))</h3>\n"
                html += isTerse ? "<div class=\"terse\">\n" : ""
                html += parameters.html(group.properties) + (isTerse ? "</div>\n" : "")
            }
            for example in ReferenceExamples.requests {
                html += "<h3>A body: \(HTML.text(example.name))</h3>\n"
                html += HTML.block(json: example.body.description)
            }
        }
        return html + answers(operation, reference)
    }

    private static func answers(
        _ operation: OperationReference, _ reference: APIReference
    ) -> String {
        var html = "<h3>Answers</h3>\n<dl>\n"
        for answer in operation.answers {
            let schema = answer.schema.map { " " + ReferenceList.link($0) } ?? ""
            html += "<div><dt><strong>\(answer.status)</strong> \(HTML.text(answer.type))\(schema)"
            html += "</dt><dd>\(HTML.prose(answer.description))</dd></div>\n"
        }
        for (status, lines) in operation.errors(among: reference.errors) {
            let codes = lines.compactMap(\.answer.code).reduce(into: [String]()) { codes, code in
                if !codes.contains(code) { codes.append(code) }
            }
            html += "<div><dt><strong>\(status)</strong> <a href=\"#status-\(status)\">errors</a>"
            html += "</dt><dd>\(codes.map { HTML.code($0) }.joined(separator: ", "))</dd></div>\n"
        }
        html += "</dl>\n"
        for answer in operation.answers {
            guard let example = ReferenceExamples.answer(answer.schema) else { continue }
            html += "<h3>An answer</h3>\n" + HTML.block(json: example.text)
        }
        if operation.route == .chatCompletions, case .string(let stream) = ReferenceExamples.stream
        {
            html += "<h3>A streamed answer</h3>\n" + HTML.block(stream)
        }
        return html
    }

    // MARK: Objects

    private static func objects(
        _ objects: [RequestReference.Named], _ writer: ReferenceList.Writer
    ) -> String {
        objects.map { name, schema in
            var html = "<h3 id=\"object-\(name)\">\(HTML.code(name))</h3>\n"
            if !schema.description.isEmpty { html += "<p>\(HTML.prose(schema.description))</p>\n" }
            if schema.choices.isEmpty {
                let list = ReferenceList(writer: writer, prefix: "member-\(name)")
                return html + list.html(schema.properties)
            }
            let list = ReferenceList(writer: writer, prefix: nil)
            return html + "<p>One of:</p>\n"
                + schema.choices.map { list.html($0.properties) }.joined()
        }.joined()
    }

    // MARK: Headers and errors

    private static let headers = ReferenceList(writer: .gateway, prefix: "header").html(
        HeaderReference.all.map { .required($0.name, $0.schema) })

    private static func errors(_ errors: [ErrorReference]) -> String {
        var html = "<p>Every error has this body, whatever its status. Programs go by "
        html += "<code>code</code>, or by <code>type</code> where that is null.</p>\n"
        let example = GatewayFailure.invalidRequest(.missing("messages")).answer(spread: 0)
        html += HTML.block(json: ReferenceExamples.error(example).text)
        html += "<table>\n<thead><tr><th>Status</th><th>type</th><th>code</th><th>When</th>"
        html += "<th>Headers</th></tr></thead>\n<tbody>\n"
        var last = 0
        for line in errors {
            let id = line.answer.status == last ? "" : " id=\"status-\(line.answer.status)\""
            last = line.answer.status
            html += "<tr\(id)><td><strong>\(line.answer.status)</strong></td>"
            html += "<td>\(HTML.code(line.answer.type))</td>"
            html += "<td>\(HTML.code(line.answer.code ?? "null"))</td>"
            html += "<td>\(HTML.prose(line.meaning))</td>"
            html += "<td>\(line.headers.map { HTML.code($0) }.joined(separator: " "))</td></tr>\n"
        }
        return html + "</tbody>\n</table>\n"
    }
}
