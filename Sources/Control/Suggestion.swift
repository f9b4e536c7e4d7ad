/// What somebody may have meant who typed a word that is none.
package enum Suggestion {
  /// The nearest of some words, if it is near; of several the first.
  package static func nearest(to typed: String, of words: [String]) -> String? {
    guard typed.count <= 64 else { return nil }
    // Long words have more letters to go wrong.
    let limit = max(1, min(3, typed.count / 2))
    let near = words.map { ($0, distance(Array(typed.lowercased()), Array($0))) }
      .filter { $0.1 <= limit }
    if let best = near.min(by: { $0.1 < $1.1 }) { return best.0 }
    // Whoever began a word right meant that one.
    let begun = words.filter { typed.count >= 2 && $0.hasPrefix(typed.lowercased()) }
    return begun.count == 1 ? begun[0] : nil
  }

  /// Letters that are added, left out, changed or changed places (optimal string alignment; Damerau
  /// 1964, Wagner and Fischer 1974).
  private static func distance(_ one: [Character], _ other: [Character]) -> Int {
    var rows = [[Int]](repeating: [Int](repeating: 0, count: other.count + 1), count: one.count + 1)
    for i in 0...one.count { rows[i][0] = i }
    for j in 0...other.count { rows[0][j] = j }
    for i in 1..<(one.count + 1) {
      for j in 1..<(other.count + 1) {
        let cost = one[i - 1] == other[j - 1] ? 0 : 1
        rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost)
        if i > 1, j > 1, one[i - 1] == other[j - 2], one[i - 2] == other[j - 1] {
          rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
        }
      }
    }
    return rows[one.count][other.count]
  }
}
