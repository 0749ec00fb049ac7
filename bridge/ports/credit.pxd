# Types of credit.py when it is compiled.


cdef class Credit:
    cdef public object write
    cdef public object keep
    cdef public Py_ssize_t odd
    cdef public Py_ssize_t most
    cdef public Py_ssize_t frames
    cdef public Py_ssize_t bytes
