// libqrencode, which Swift can import as it is.
#ifndef FSHAREFS_CQRCODE_SHIM_H
#define FSHAREFS_CQRCODE_SHIM_H

#include <qrencode.h>

#endif
