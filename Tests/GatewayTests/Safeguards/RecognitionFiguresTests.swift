import Foundation
import Testing

@testable import Gateway

@Suite struct RecognitionOnTheLabelledSet {
    /// Prints the table when `TURNPIKE_RECOGNITION` says for how many sentences (`deploy/recognition`).
    @Test func `no kind falls below the precision and the recall that are published`() {
        let asked = ProcessInfo.processInfo.environment["TURNPIKE_RECOGNITION"].flatMap { Int($0) }
        let figures = RecognitionFigures(sentences: asked ?? 6000, seed: 4)
        if asked != nil {
            print(figures.table)
            for (entity, examples) in figures.examples.sorted(by: { $0.key < $1.key }) {
                print("\(entity):", examples.joined(separator: "\n  "), separator: "\n  ")
            }
        }
        for entity in LabelledValue.entities {
            let row = figures.rows[entity] ?? .init()
            #expect(row.right + row.missed > 50, "\(entity) is in the set")
            #expect(row.precision >= 75, "precision of \(entity)")
            #expect(row.recall >= 80, "recall of \(entity)")
        }
        #expect(figures.falseAlarms * 100 <= figures.clean * 2)
        #expect(figures.total.precision >= 97)
        #expect(figures.total.recall >= 94)
    }

    @Test func `the set is the same for the same seed and labels what stands there`() {
        let texts = LabelledSet.texts(500, seed: 9)
        #expect(texts.map(\.text) == LabelledSet.texts(500, seed: 9).map(\.text))
        #expect(texts.map(\.text) != LabelledSet.texts(500, seed: 8).map(\.text))
        #expect(texts.contains { $0.findings.isEmpty })
        for text in texts {
            for label in text.findings { #expect(label.range.upperBound <= text.text.utf8.count) }
        }
    }
}
