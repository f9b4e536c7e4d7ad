package import Control
import System
import Transport

/// `fsharectl limit`.
extension GroupSession {
  /// Bounds the bulk streams from the start on. Call before `start`.
  package func limit(_ limits: LimitsReport) { rates.withLock { $0 = limits } }

  /// What is in force.
  var limits: LimitsReport { rates.withLock { $0 } }

  /// Changes what is named, as `up=2M` or `down=none`, and says what is in force.
  func limit(_ words: [String]) -> ControlResponse {
    rates.withLock { rates in
      var changed = rates
      for word in words {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, ["up", "down"].contains(parts[0]) else {
          return .refused("'\(word)' is no limit: give up=RATE or down=RATE")
        }
        do throws(ByteRate.Fault) {
          let rate = try ByteRate.parse(String(parts[1]), lowest: BulkRates.lowest)
          if parts[0] == "up" { changed.up = rate } else { changed.down = rate }
        } catch { return .refused("\(error)") }
      }
      if changed != rates {
        rates = changed
        // In the order of the changes.
        bulkRates.limit(up: changed.up, down: changed.down)
        link.ratesChanged()
        direct.plane?.ratesChanged()
      }
      return .report(changed)
    }
  }
}
