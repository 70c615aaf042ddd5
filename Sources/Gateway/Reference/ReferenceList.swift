/// The members of an object on the page, and those of objects within that have no name of their own.
struct ReferenceList {
    /// Who writes the members, which decides what is worth saying of them.
    enum Writer {
        /// Absent and null are the same, and some members must be there.
        case client
        /// Some members are not always there, and some may be null.
        case gateway
    }

    let writer: Writer
    /// What the place of a member begins with, by which it can be linked to; nil for none.
    let prefix: String?

    /// The list.
    func html(_ properties: [ReferenceSchema.Property]) -> String {
        "<dl>\n" + items(properties, in: "") + "</dl>\n"
    }

    /// The name of an object as a link to it.
    static func link(_ name: String) -> String {
        "<a href=\"#object-\(name)\">\(HTML.text(name))</a>"
    }

    private func items(_ properties: [ReferenceSchema.Property], in path: String) -> String {
        properties.map { property in
            let name = path + property.name
            let id = prefix.map { " id=\"\($0)-\(name)\"" } ?? ""
            var html = "<div\(id)><dt>\(HTML.code(name)) "
            html += "<span>\(facts(of: property).joined(separator: " · "))</span></dt>"
            html += "<dd>\(HTML.prose(property.schema.description))</dd></div>\n"
            html += items(property.schema.properties, in: name + ".")
            for choice in property.schema.choices {
                html += items(choice.properties, in: name + ".")
            }
            return html
        }.joined()
    }

    private func facts(of property: ReferenceSchema.Property) -> [String] {
        let schema = property.schema
        var kind = schema.kind(link: Self.link)
        var facts: [String] = []
        switch writer {
        case .client: if property.isRequired { facts.append("required") }
        case .gateway:
            if schema.isNullable { kind += " or null" }
            if !property.isRequired { facts.append("not always") }
        }
        facts += schema.limits { HTML.code($0) }
        if let value = schema.defaultValue { facts.append("default \(HTML.code(value.text))") }
        if let words = schema.defaultWords { facts.append("default: \(HTML.prose(words))") }
        return [kind] + facts
    }
}
