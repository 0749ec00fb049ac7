# Types of straight.py when it is compiled.
cimport cython
from picows cimport picows

from bridge.ports.credit cimport Credit as Leave

cdef picows.WSMsgType BINARY
cdef Py_ssize_t COPIED


cdef class Straight(picows.WSListener):
    cdef public picows.WSTransport transport
    cdef public object _take
    cdef public Leave _credit
    cdef public bint _passing
    cdef public bint _full

    @cython.locals(sound=bytes, credit=Leave, size=Py_ssize_t, reserved=bint)
    cpdef on_ws_frame(self, picows.WSTransport transport, picows.WSFrame frame)
