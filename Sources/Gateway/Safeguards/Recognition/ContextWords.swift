/// What a word says about the numbers near it.
struct ContextWords: OptionSet {
    let rawValue: UInt32

    static let phone = ContextWords(rawValue: 1 << 0)
    static let socialSecurity = ContextWords(rawValue: 1 << 1)
    static let health = ContextWords(rawValue: 1 << 2)
    static let passport = ContextWords(rawValue: 1 << 3)
    static let tax = ContextWords(rawValue: 1 << 4)
    static let card = ContextWords(rawValue: 1 << 5)
    static let british = ContextWords(rawValue: 1 << 6)
    static let italian = ContextWords(rawValue: 1 << 7)
    static let german = ContextWords(rawValue: 1 << 8)
    static let aadhaar = ContextWords(rawValue: 1 << 9)
    static let pesel = ContextWords(rawValue: 1 << 10)
    static let swedish = ContextWords(rawValue: 1 << 11)
    static let version = ContextWords(rawValue: 1 << 12)
    /// The name of a month, in one of the languages of `MonthNames`.
    static let month = ContextWords(rawValue: 1 << 13)
    /// A number of a thing, which is nobody's telephone.
    static let reference = ContextWords(rawValue: 1 << 14)

    /// The longest word worth looking up.
    static let longest = 24

    private static let words: [(ContextWords, String)] = [
        (
            .phone,
            """
            phone phones telephone tel cell cellphone mobile mob call called calling callback dial ring fax \
            whatsapp sms landline voicemail hotline reach contact telefon telefonnummer handy handynummer \
            mobil mobilnummer rufnummer anrufen telefono cellulare portable appelez llama llame llamar \
            chiama chiamare telefoon puhelin phoned
            """
        ),
        (.socialSecurity, "ssn ssns socialsecurity itin taxpayer social"),
        (.health, "nhs"),
        (.passport, "passport passports passeport pasaporte reisepass passaporto passnummer"),
        (
            .tax,
            "steuer steuerid steueridentifikationsnummer steuernummer idnr tin identifikationsnummer"
        ),
        (
            .card,
            "card cards visa mastercard maestro amex credit debit karte kreditkarte carte tarjeta"
        ),
        (.british, "uk british britain gb hmpo"),
        (.italian, "italian italy italia italiano passaporto"),
        (.german, "german germany deutsch deutscher reisepass passnummer"),
        (.aadhaar, "aadhaar aadhar uidai uid"),
        (.pesel, "pesel"),
        (.swedish, "personnummer swedish"),
        (.version, "version versions v ver release firmware build upgrade upgraded"),
        (
            .reference,
            """
            order invoice ticket tracking reference ref sku part serial isbn batch item article product case \
            account bestellung rechnung commande facture pedido factura ordine fattura
            """
        ),
    ]

    private static let meanings: [UInt64: ContextWords] = {
        var meanings: [UInt64: ContextWords] = [:]
        for (meaning, list) in words {
            for word in list.split(separator: " ") {
                meanings[hash(word.utf8), default: []].insert(meaning)
            }
        }
        for name in MonthNames.forms.joined() {
            meanings[hash(name.utf8), default: []].insert(.month)
        }
        return meanings
    }()

    /// What the word in these bytes says, whatever the size of its letters.
    ///
    /// Two words could in principle share a hash; the worst is a word that lends its support to a
    /// number beside it.
    static func of(_ word: some Collection<UInt8>) -> ContextWords {
        meanings[hash(word)] ?? []
    }

    /// The FNV-1a hash of the word in small letters.
    static func hash(_ word: some Collection<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in word {
            hash = (hash ^ UInt64(ASCII.lower(byte))) &* 0x100_0000_01B3
        }
        return hash
    }
}
