/* loss.c: losses that are means of independent terms, one number per sample, and their gradients; see
 * fastnn/reference/loss.py. The loops are in terms.h. */
#include "kernels/terms.h"

INLINE V square_term(V t, V x) { return (x - t) * (x - t); }
INLINE V square_slope(V t, V x) { return 2.0f * (x - t); }
INLINE V distance_term(V t, V x) { return v_abs(x - t); }
INLINE V distance_slope(V t, V x)
{
    const V d = x - t;
    return v_select((d < 0.0f) | (d > 0.0f), v_copysign(v_splat(1), d), d);    /* 0 and NaN as they are */
}

static void mean_squared_error(const Call *call, Part part) { mean_of_terms(call, part, square_term, 0); }
static void mean_squared_error_grad(const Call *call, Part part) { scaled_slopes(call, part, square_slope, 0); }
static void mean_absolute_error(const Call *call, Part part) { mean_of_terms(call, part, distance_term, 0); }
static void mean_absolute_error_grad(const Call *call, Part part) { scaled_slopes(call, part, distance_slope, 0); }

extern const Kernel FAMILY(loss)[];
const Kernel FAMILY(loss)[] = {
    {"mean_squared_error(y_true, y_pred)", mean_squared_error},
    {"mean_squared_error_grad(dy, y_true, y_pred)", mean_squared_error_grad},
    {"mean_absolute_error(y_true, y_pred)", mean_absolute_error},
    {"mean_absolute_error_grad(dy, y_true, y_pred)", mean_absolute_error_grad},
    {0},
};
