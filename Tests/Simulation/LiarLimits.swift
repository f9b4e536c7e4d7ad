import Core
import Protocol

/// Limits as low as honest members of a short history never reach, so that liars do.
enum LiarLimits {
  static var list: ListLimits {
    var limits = ListLimits()
    limits.memberEntries = 40
    limits.memberPathBytes = 3_000
    limits.depth = 12
    return limits
  }

  static var forwarding: Forwarding.Settings {
    var settings = Forwarding.Settings()
    // What honest members have unanswered must fit.
    settings.unansweredBytes = 16 << 10
    settings.unansweredOfAll = 64 << 10
    settings.waitingBytes = 32 << 10
    settings.lightBytes = 16 << 10
    settings.changesPerSecond = 10
    settings.questionsPerSecond = 3
    return settings
  }

  /// No limit at all: `Sabotage.passAll`.
  static var none: Forwarding.Settings {
    var settings = Forwarding.Settings()
    let much = 1 << 30
    settings.unanswered = much
    settings.unansweredQuestions = much
    settings.unansweredBytes = much
    settings.unansweredOfAll = much
    settings.waitingBytes = much
    settings.lightBytes = much
    return settings
  }

  /// Bytes of control messages that may wait for one session.
  static let controlQueue = 16 << 10
}
