/// Number of a node in the mount, as the kernel knows it; never used again while the mount lives.
typealias InodeNumber = UInt64

/// Number of something that the kernel has opened.
typealias HandleNumber = UInt64
