import Sealing
import Transport

/// The marks of frames, made with keys that come with the streams' tickets.
extension FrameTagKey: FrameTags {}
