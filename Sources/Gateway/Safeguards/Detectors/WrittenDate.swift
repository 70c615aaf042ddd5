/// A date or a time as it is written: where each of its parts stands.
struct WrittenDate {
    /// What a part says.
    enum Part: Equatable {
        case year
        case month
        /// The name of a month, of a form of `MonthNames`.
        case monthName(form: Int)
        case day
        /// Of a day of 24 hours.
        case hour
        /// Of a half of a day.
        case halfDayHour
        case minute
        case second
    }

    /// The parts in the order of the text, as offsets into it.
    var parts: [(part: Part, range: Range<Int>)] = []
    /// The byte behind the last.
    var end: Int
}
