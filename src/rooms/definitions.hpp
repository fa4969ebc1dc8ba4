// After the declarations of a part: what follows is defined here and nowhere else.
#undef HENCE_INLINE
#define HENCE_INLINE
#define HENCE_IMPLEMENTATION
