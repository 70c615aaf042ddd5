import Testing

@testable import Gateway

/// What is found in a text, as `ENTITY=text`, once overlaps are resolved.
func found(in text: String) -> [String] {
    let bytes = Array(text.utf8)
    return EntityFinding.withoutOverlaps(
        StructuredRecognizer().findings(in: text), count: bytes.count
    ).map { "\($0.entity)=\(String(decoding: bytes[$0.range], as: UTF8.self))" }
}

/// Values from the documents that define them, and from their Wikipedia articles.
@Suite struct RecognizedValues {
    @Test(arguments: [
        ("Write to ana.b+c@mail.example.co.uk.", "EMAIL_ADDRESS=ana.b+c@mail.example.co.uk"),
        ("<jürgen@müller.de>", "EMAIL_ADDRESS=jürgen@müller.de"),
        ("我的邮箱是bob@example.com。", "EMAIL_ADDRESS=bob@example.com"),
        ("See https://example.org/a_(b)?q=1#f.", "URL=https://example.org/a_(b)?q=1#f"),
        ("(www.example.net)", "URL=www.example.net"),
        ("Visit shop.example.com/cart, please", "URL=shop.example.com/cart"),
        ("from 192.168.0.17:8080 today", "IP_ADDRESS=192.168.0.17"),
        ("host 2001:db8::ff00:42:8329 is up", "IP_ADDRESS=2001:db8::ff00:42:8329"),
        ("[::1]", "IP_ADDRESS=::1"),
        ("::ffff:192.0.2.128", "IP_ADDRESS=::ffff:192.0.2.128"),
        ("1:2:3:4:5:6:7:8", "IP_ADDRESS=1:2:3:4:5:6:7:8"),
    ])
    func `an address is found whole and without what surrounds it`(
        text: String, expected: String
    ) {
        #expect(found(in: text) == [expected])
    }

    @Test(arguments: [
        ("4111 1111 1111 1111", "CREDIT_CARD"), ("5555555555554444", "CREDIT_CARD"),
        ("3782 822463 10005", "CREDIT_CARD"), ("6011-1111-1111-1117", "CREDIT_CARD"),
        ("30569309025904", "CREDIT_CARD"), ("3530111333300000", "CREDIT_CARD"),
        ("GB82 WEST 1234 5698 7654 32", "IBAN_CODE"), ("DE89370400440532013000", "IBAN_CODE"),
        ("FR1420041010050500013M02606", "IBAN_CODE"), ("NO93 8601 1117 947", "IBAN_CODE"),
        ("DE 89 3704 0044 0532 0130 00", "IBAN_CODE"),
        ("MT84MALT011000012345MTLCAST001S", "IBAN_CODE"),
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "CRYPTO"),
        ("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "CRYPTO"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "CRYPTO"),
        ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", "CRYPTO"),
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "CRYPTO"),
        ("0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359", "CRYPTO"),
        ("536-22-1234", "US_SSN"), ("912-71-1234", "US_ITIN"),
        ("943 476 5919", "UK_NHS"), ("AB 12 34 56 C", "UK_NINO"), ("AB123456C", "UK_NINO"),
        ("86 095 742 719", "DE_TAX_ID"), ("47036892816", "DE_TAX_ID"),
        ("12345678Z", "ES_NIF"), ("12.345.678-Z", "ES_NIF"), ("X1234567L", "ES_NIE"),
        ("2 55 08 14 168 025 38", "FR_NIR"), ("255081416802538", "FR_NIR"),
        ("RSSMRA85T10A562S", "IT_FISCAL_CODE"), ("rssmra85t10a562s", "IT_FISCAL_CODE"),
        ("44051401359", "PL_PESEL"), ("131052-308T", "FI_PERSONAL_IDENTITY_CODE"),
        ("811218-9876", "SE_PERSONNUMMER"), ("S1234567D", "SG_NRIC_FIN"),
        ("2341 2341 2346", "IN_AADHAAR"),
        ("+44 20 7946 0958", "PHONE_NUMBER"), ("(202) 555-0143", "PHONE_NUMBER"),
        ("+49 (0)30 123456-0", "PHONE_NUMBER"), ("01 23 45 67 89", "PHONE_NUMBER"),
        ("07700 900123", "PHONE_NUMBER"), ("202.555.0143", "PHONE_NUMBER"),
        ("2024-01-15", "DATE_TIME"), ("2024-01-15T10:30:00Z", "DATE_TIME"),
        ("15/01/2024", "DATE_TIME"), ("Jan 15th, 2024", "DATE_TIME"),
        ("15 de enero de 2024", "DATE_TIME"), ("3. März 2021", "DATE_TIME"),
        ("2:30 pm", "DATE_TIME"),
    ])
    func `a value is found alone, in a sentence and between other letters of UTF-8`(
        value: String, entity: String
    ) {
        #expect(found(in: value) == ["\(entity)=\(value)"])
        #expect(found(in: "Es ist \(value), bitte.") == ["\(entity)=\(value)"])
        #expect(found(in: "それは「\(value)」です") == ["\(entity)=\(value)"])
        #expect(found(in: #"{"a":"x\n\#(value)\n"}"#) == ["\(entity)=\(value)"])
    }

    @Test(arguments: [
        ("My SSN is 536221234", "US_SSN=536221234"),
        ("social security: 536 22 1234", "US_SSN=536 22 1234"),
        ("NHS no. 9434765919", "UK_NHS=9434765919"),
        ("Passport No. 123456789", "US_PASSPORT=123456789"),
        ("his UK passport 925665416", "UK_PASSPORT=925665416"),
        ("Reisepass C01X00T47", "DE_PASSPORT=C01X00T47"),
        ("passaporto YA1234567", "IT_PASSPORT=YA1234567"),
        ("call me: 2025550143", "PHONE_NUMBER=2025550143"),
        ("Tel. 030 1234567", "PHONE_NUMBER=030 1234567"),
    ])
    func `a word beside a number says what it is`(text: String, expected: String) {
        #expect(found(in: text) == [expected])
        let number = expected.split(separator: "=")[1]
        #expect(found(in: "It is \(number) here.").isEmpty)
    }

    @Test func `both ends of a range of addresses are found`() {
        #expect(
            found(in: "10.1.2.3-10.1.2.9") == ["IP_ADDRESS=10.1.2.3", "IP_ADDRESS=10.1.2.9"])
    }

    @Test func `a longer finding hides a shorter one whatever the order`() {
        let url = EntityFinding(entity: .url, range: 0..<30, score: 1)
        let email = EntityFinding(entity: .emailAddress, range: 10..<20, score: 100)
        let edge = EntityFinding(entity: .phoneNumber, range: 25..<35, score: 100)
        let behind = EntityFinding(entity: .phoneNumber, range: 30..<35, score: 5)
        let wrong = EntityFinding(entity: .person, range: 34..<99, score: 100)
        let all = [edge, email, url, behind, wrong]
        let inFront = EntityFinding(entity: .person, range: 0..<6, score: 100)
        let longer = EntityFinding(entity: .url, range: 5..<15, score: 1)
        #expect(EntityFinding.withoutOverlaps([inFront, longer], count: 40) == [longer])
        for turn in all.indices {
            let turned = Array(all[turn...] + all[..<turn])
            #expect(EntityFinding.withoutOverlaps(turned, count: 40) == [url, behind])
        }
    }

    @Test func `of two kinds of the same place the surer wins, then the first by name`() {
        let phone = EntityFinding(entity: .phoneNumber, range: 0..<9, score: 70)
        let health = EntityFinding(entity: .ukNHS, range: 0..<9, score: 100)
        #expect(EntityFinding.withoutOverlaps([phone, health], count: 9) == [health])
        let even = EntityFinding(entity: .ukNHS, range: 0..<9, score: 70)
        #expect(EntityFinding.withoutOverlaps([even, phone], count: 9) == [phone])
    }
}

@Suite struct ValuesThatAreNone {
    @Test(arguments: [
        "4111 1111 1111 1112", "GB82 WEST 1234 5698 7654 33", "DE8937040044053201300",
        "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", "000-22-1234", "666-22-1234", "536-00-1234",
        "943 476 5918", "DF123456C", "AB123456E", "86 095 742 718", "12345678A", "X1234567K",
        "2 55 08 14 168 025 39", "RSSMRA85T10A562T", "44051401358", "131052-308S", "811218-9877",
        "S1234567E", "2341 2341 2347",
    ])
    func `a wrong check digit is nothing`(value: String) {
        #expect(found(in: value).isEmpty)
    }

    @Test(arguments: [
        "Order 20240115-4471, part 4929-1234-AB, 3.14159 and 1,234,567.89 USD",
        "version 1.2.3.4 of std::vector and Foo::bar", "score 3:16, ratio 16:9, 24/7 and 50/50",
        "commit 5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
        "550e8400-e29b-41d4-a716-446655440000", "main.rs, Node.js, e.g. README.md and a.out",
        "@bob and #12345678 at user@host", "ISBN 978-3-16-148410-0", "2024-13-45 and 99/99/2024",
        "x = [1, 2, 3] * 1000000; y == 0xDEADBEEF", "1732185566123 ms", "10.0.0.256", "1.2.3.4.5",
        "00:1B:44:11:3A:B7", "http://", "a@b", "@@@", "+", "£1234567", "$4111111111111111.50 no",
    ])
    func `what only looks alike is nothing`(text: String) {
        let found = found(in: text).filter { !$0.hasPrefix("CREDIT_CARD=4111111111111111") }
        #expect(found.isEmpty)
    }

    @Test func `an empty text and broken pieces of characters are read without harm`() {
        #expect(found(in: "").isEmpty)
        let broken = String(
            decoding: [0xC3, 0x28, 0xFF, 0x40, 0x61, 0x2E, 0xE2, 0x80], as: UTF8.self)
        #expect(found(in: broken).isEmpty)
    }
}
