/// A kind of personal data, under the name that Microsoft Presidio gives it, so that a client's
/// `entity_list` means the same here and there.
///
/// Open: an analyzer may find kinds that are not named below (`PERSON`, `LOCATION`).
public struct EntityType: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The name, in capitals.
    public let name: String

    /// The kind of that name; a name in small letters is the same kind.
    public init(_ name: String) { self.name = name.uppercased() }

    /// The name: nothing here tells what was found.
    public var description: String { name }

    /// By name.
    public static func < (left: EntityType, right: EntityType) -> Bool { left.name < right.name }
}

extension EntityType {
    /// An e-mail address.
    public static let emailAddress = EntityType("EMAIL_ADDRESS")
    /// A telephone number.
    public static let phoneNumber = EntityType("PHONE_NUMBER")
    /// The number of a payment card, with its Luhn digit.
    public static let creditCard = EntityType("CREDIT_CARD")
    /// An international bank account number (ISO 13616), with its check digits.
    public static let ibanCode = EntityType("IBAN_CODE")
    /// An IPv4 or IPv6 address.
    public static let ipAddress = EntityType("IP_ADDRESS")
    /// An address of the web.
    public static let url = EntityType("URL")
    /// A date, a time or both.
    public static let dateTime = EntityType("DATE_TIME")
    /// An address of Bitcoin (or a currency that writes them alike) or Ethereum.
    public static let crypto = EntityType("CRYPTO")
    /// A social security number of the United States.
    public static let usSSN = EntityType("US_SSN")
    /// An individual taxpayer identification number of the United States.
    public static let usITIN = EntityType("US_ITIN")
    /// A passport number of the United States, or of a country that nothing beside it names.
    public static let usPassport = EntityType("US_PASSPORT")
    /// A number of the National Health Service, with its check digit.
    public static let ukNHS = EntityType("UK_NHS")
    /// A British national insurance number.
    public static let ukNINO = EntityType("UK_NINO")
    /// A British passport number.
    public static let ukPassport = EntityType("UK_PASSPORT")
    /// A German passport number.
    public static let dePassport = EntityType("DE_PASSPORT")
    /// An Italian passport number.
    public static let itPassport = EntityType("IT_PASSPORT")
    /// A German tax identification number (Steuer-ID), with its check digit.
    public static let deTaxID = EntityType("DE_TAX_ID")
    /// A Spanish identity card number (DNI), with its letter.
    public static let esNIF = EntityType("ES_NIF")
    /// A Spanish foreigner's number, with its letter.
    public static let esNIE = EntityType("ES_NIE")
    /// A French social security number (NIR), with its key.
    public static let frNIR = EntityType("FR_NIR")
    /// An Italian fiscal code, with its letter.
    public static let itFiscalCode = EntityType("IT_FISCAL_CODE")
    /// A Polish PESEL number, with its check digit.
    public static let plPESEL = EntityType("PL_PESEL")
    /// A Finnish personal identity code, with its check character.
    public static let fiIdentityCode = EntityType("FI_PERSONAL_IDENTITY_CODE")
    /// A Swedish personal identity number, with its Luhn digit.
    public static let sePersonnummer = EntityType("SE_PERSONNUMMER")
    /// A Singaporean NRIC or FIN, with its letter.
    public static let sgNRIC = EntityType("SG_NRIC_FIN")
    /// An Indian Aadhaar number, with its Verhoeff digit.
    public static let inAadhaar = EntityType("IN_AADHAAR")
    /// A person's name, which only an analyzer finds.
    public static let person = EntityType("PERSON")
    /// A place, which only an analyzer finds.
    public static let location = EntityType("LOCATION")
}
