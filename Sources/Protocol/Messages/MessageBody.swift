/// The part of a message that is sealed on its way, and what is said about it in the clear.
extension Message {
  /// What a member proposes, its body as it is; nil for anything else.
  package var proposal: Proposal? {
    switch self {
    case .addFiles(let proposal), .removeFile(let proposal), .renameFile(let proposal),
      .updateName(let proposal):
      proposal
    default: nil
    }
  }

  /// What names a member's proposal, or its question, so that it can be told to say it again; nil
  /// for anything else.
  package var named: TransferID? {
    if case .askFiles(let question) = self { return question.cursor.question }
    return proposal?.transfer
  }

  /// The name of what a member said that this answers; nil for anything else.
  package var answered: TransferID? {
    switch self {
    case .filesAdded(let ordered), .fileRemoved(let ordered), .fileRenamed(let ordered),
      .nameUpdated(let ordered):
      ordered.transfer
    case .changeRefused(let refusal): refusal.transfer
    case .serverNotReady(let transfer): transfer
    case .filesPage(let page): page.after.question
    default: nil
    }
  }

  /// The body, where the message has one.
  package var body: [UInt8]? {
    switch self {
    case .approveClient(let decision), .disApproveClient(let decision),
      .clientApproved(let decision), .clientDisApproved(let decision):
      decision.body
    case .addFiles(let proposal), .removeFile(let proposal), .renameFile(let proposal),
      .updateName(let proposal):
      proposal.body
    case .filesAdded(let ordered), .fileRemoved(let ordered), .fileRenamed(let ordered),
      .nameUpdated(let ordered), .clientReleased(let ordered):
      ordered.body
    case .listHead(let head): head.body
    case .askFiles(let question): question.body
    case .filesPage(let page): page.body
    case .changeRefused(let refusal): refusal.body
    case .clientsOut(let out): out.body
    default: nil
    }
  }

  /// The same message with another body. Requires: it has one.
  package func replacingBody(_ body: [UInt8]) -> Message {
    switch self {
    case .approveClient(var decision):
      decision.body = body
      return .approveClient(decision)
    case .disApproveClient(var decision):
      decision.body = body
      return .disApproveClient(decision)
    case .clientApproved(var decision):
      decision.body = body
      return .clientApproved(decision)
    case .clientDisApproved(var decision):
      decision.body = body
      return .clientDisApproved(decision)
    case .addFiles(var proposal):
      proposal.body = body
      return .addFiles(proposal)
    case .removeFile(var proposal):
      proposal.body = body
      return .removeFile(proposal)
    case .renameFile(var proposal):
      proposal.body = body
      return .renameFile(proposal)
    case .updateName(var proposal):
      proposal.body = body
      return .updateName(proposal)
    case .filesAdded(var ordered):
      ordered.body = body
      return .filesAdded(ordered)
    case .fileRemoved(var ordered):
      ordered.body = body
      return .fileRemoved(ordered)
    case .fileRenamed(var ordered):
      ordered.body = body
      return .fileRenamed(ordered)
    case .nameUpdated(var ordered):
      ordered.body = body
      return .nameUpdated(ordered)
    case .clientReleased(var ordered):
      ordered.body = body
      return .clientReleased(ordered)
    case .listHead(var head):
      head.body = body
      return .listHead(head)
    case .askFiles(var question):
      question.body = body
      return .askFiles(question)
    case .filesPage(var page):
      page.body = body
      return .filesPage(page)
    case .changeRefused(var refusal):
      refusal.body = body
      return .changeRefused(refusal)
    case .clientsOut(var out):
      out.body = body
      return .clientsOut(out)
    default: preconditionFailure("\(opcode) has no body")
    }
  }
}
