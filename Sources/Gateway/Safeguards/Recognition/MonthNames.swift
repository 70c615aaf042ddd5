/// The names of months that dates are written with.
enum MonthNames {
    /// Each form has twelve names, in small letters: English in full and cut short, German, French,
    /// Spanish and Italian. A name that several languages share belongs to the first.
    static let forms: [[String]] = [
        [
            "january", "february", "march", "april", "may", "june", "july", "august", "september",
            "october", "november", "december",
        ],
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
        [
            "januar", "februar", "märz", "april", "mai", "juni", "juli", "august", "september",
            "oktober", "november", "dezember",
        ],
        [
            "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
            "octobre", "novembre", "décembre",
        ],
        [
            "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
            "octubre", "noviembre", "diciembre",
        ],
        [
            "gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto",
            "settembre", "ottobre", "novembre", "dicembre",
        ],
    ]

    /// The most bytes a name has.
    static let longest = 12

    private static let formOfName: [UInt64: Int] = {
        var forms: [UInt64: Int] = [:]
        for (index, names) in Self.forms.enumerated() {
            for name in names where forms[ContextWords.hash(name.utf8)] == nil {
                forms[ContextWords.hash(name.utf8)] = index
            }
        }
        return forms
    }()

    /// The form that the name in these bytes belongs to; nil when it is no month's.
    static func form(of name: some Collection<UInt8>) -> Int? {
        formOfName[ContextWords.hash(name)]
    }
}
