#include "rating_priv.h"

#include <math.h>

#include "base/assert.h"

/* The names are the paper's: mu, phi and sigma are rating, deviation and volatility on its scale.
 */

static const double scale_centi = 17371.78; /* Hundredths of a point per unit of mu and phi. */
static const double pi = 3.14159265358979323846;
static const double micro = 1e6;
static const double converged = 1e-9; /* Of ln(sigma^2): a thousandth of what is kept. */

enum { VOLATILITY_STEPS_MAX = 64 };

struct rating rating_initial(void)
{
    return (struct rating){
        .rating_centi = RATING_INITIAL_CENTI,
        .deviation_centi = RATING_DEVIATION_MAX_CENTI,
        .volatility_micro = RATING_VOLATILITY_INITIAL_MICRO,
    };
}

static bool is_within(int32_t value, int32_t least, int32_t most)
{
    return value >= least && value <= most;
}

bool rating_is_valid(const struct rating *rating)
{
    return is_within(rating->rating_centi, RATING_MIN_CENTI, RATING_MAX_CENTI) &&
           is_within(rating->deviation_centi, RATING_DEVIATION_MIN_CENTI,
                     RATING_DEVIATION_MAX_CENTI) &&
           is_within(rating->volatility_micro, RATING_VOLATILITY_MIN_MICRO,
                     RATING_VOLATILITY_MAX_MICRO);
}

bool rating_equal(const struct rating *a, const struct rating *b)
{
    return a->rating_centi == b->rating_centi && a->deviation_centi == b->deviation_centi &&
           a->volatility_micro == b->volatility_micro;
}

/* Half away from zero, so that gain and loss are rounded alike. */
static int32_t rounded_within(double value, int32_t least, int32_t most)
{
    if (value <= least) return least;
    if (value >= most) return most;
    return (int32_t)lround(value);
}

static int32_t deviation_of(double phi)
{
    return rounded_within(phi * scale_centi, RATING_DEVIATION_MIN_CENTI,
                          RATING_DEVIATION_MAX_CENTI);
}

struct rating rating_after_idle(const struct rating *rating, uint32_t days)
{
    QR_ASSERT(rating_is_valid(rating));
    double phi = rating->deviation_centi / scale_centi;
    double sigma = rating->volatility_micro / micro;
    struct rating after = *rating;
    /* Step 6, once for each day. */
    after.deviation_centi = deviation_of(sqrt(phi * phi + days * sigma * sigma));
    return after;
}

/* --- A rating period. --- */

/* What the games say, steps 3 and 4. */
struct evidence {
    double information; /* 1 / v. */
    double surprise;    /* The sum of g(phi_j) * (s_j - E): delta / v. */
};

/* s - E, where `advantage` is g * (mu - mu_j). Each way of writing 1 - E and E is exact to its last
 * digits where the other would cancel, and mirrored games get mirrored results to the last bit. */
static double surprise_of(enum rating_score score, double advantage)
{
    double not_expected = 1 / (1 + exp(advantage)); /* 1 - E. */
    double expected = 1 / (1 + exp(-advantage));    /* E. */
    switch (score) {
    case RATING_LOSS: return -expected;
    case RATING_DRAW: return (not_expected - expected) / 2;
    case RATING_WIN: return not_expected;
    }
    QR_UNREACHABLE("a score of an unknown kind");
}

static struct evidence evidence_of(const struct rating *own, const struct rating_game games[],
                                   unsigned game_count)
{
    struct evidence evidence = {0, 0};
    for (unsigned i = 0; i < game_count; i++) {
        const struct rating *other = &games[i].other;
        double phi = other->deviation_centi / scale_centi;
        double g = 1 / sqrt(1 + 3 * phi * phi / (pi * pi));
        double advantage = g * ((own->rating_centi - other->rating_centi) / scale_centi);
        double variance = 1 / ((1 + exp(advantage)) * (1 + exp(-advantage))); /* E * (1 - E). */
        evidence.information += g * g * variance;
        evidence.surprise += g * surprise_of(games[i].score, advantage);
    }
    return evidence;
}

/* --- The volatility, step 5. --- */

struct volatility_problem {
    double a; /* ln(sigma^2). */
    double delta_squared;
    double phi_squared;
    double v;
    double tau;
};

/* The paper's f. Its root is the new ln(sigma^2). */
static double imbalance(const struct volatility_problem *problem, double x)
{
    double variance = problem->phi_squared + problem->v + exp(x);
    double pull = exp(x) * (problem->delta_squared - variance) / (2 * variance * variance);
    return pull - (x - problem->a) / (problem->tau * problem->tau);
}

/* The other side of the root: f(a) and f of it differ in sign. */
static double other_side(const struct volatility_problem *problem)
{
    double excess = problem->delta_squared - problem->phi_squared - problem->v;
    if (excess > 0) return log(excess);
    /* The paper looks for a k with f(a - k * tau) >= 0. Here k = 1 always is one: the pull is
     * greater than -1/2, and 1 / tau is at least 1 / 1.2. */
    return problem->a - problem->tau;
}

static double new_volatility(const struct volatility_problem *problem)
{
    double a = problem->a;
    double b = other_side(problem);
    double at_a = imbalance(problem, a);
    double at_b = imbalance(problem, b);
    unsigned steps = 0;
    /* The Illinois algorithm: regula falsi that halves the weight of an end which stays. */
    while (fabs(b - a) > converged) {
        QR_ASSERT(steps < VOLATILITY_STEPS_MAX);
        steps++;
        double c = a + (a - b) * at_a / (at_b - at_a);
        double at_c = imbalance(problem, c);
        if (at_c * at_b <= 0) {
            a = b;
            at_a = at_b;
        } else {
            at_a /= 2;
        }
        b = c;
        at_b = at_c;
    }
    return exp(a / 2);
}

struct rating rating_after_games(const struct rating *own, const struct rating_game games[],
                                 unsigned game_count, uint32_t tau_milli)
{
    QR_ASSERT(rating_is_valid(own) && game_count > 0);
    QR_ASSERT(tau_milli >= RATING_TAU_MIN_MILLI && tau_milli <= RATING_TAU_MAX_MILLI);
    for (unsigned i = 0; i < game_count; i++) QR_ASSERT(rating_is_valid(&games[i].other));
    double phi = own->deviation_centi / scale_centi;
    double sigma = own->volatility_micro / micro;
    struct evidence evidence = evidence_of(own, games, game_count);
    double delta = evidence.surprise / evidence.information;
    struct volatility_problem problem = {
        .a = log(sigma * sigma),
        .delta_squared = delta * delta,
        .phi_squared = phi * phi,
        .v = 1 / evidence.information,
        .tau = tau_milli / 1000.0,
    };
    /* Within its bounds before anything follows from it: after a game that was next to impossible
     * the equation has other roots, up to a thousand times as high, and such a volatility would
     * throw the rating to the other end. */
    int32_t volatility = rounded_within(new_volatility(&problem) * micro,
                                        RATING_VOLATILITY_MIN_MICRO, RATING_VOLATILITY_MAX_MICRO);
    double sigma_after = volatility / micro;
    /* Steps 6 and 7. The gain is rounded, not the sum: who wins never loses a hundredth by it. */
    double phi_squared_before = phi * phi + sigma_after * sigma_after;
    double phi_squared_after = 1 / (1 / phi_squared_before + evidence.information);
    double gain_centi = (double)lround(phi_squared_after * evidence.surprise * scale_centi);
    return (struct rating){
        .rating_centi =
            rounded_within(own->rating_centi + gain_centi, RATING_MIN_CENTI, RATING_MAX_CENTI),
        .deviation_centi = deviation_of(sqrt(phi_squared_after)),
        .volatility_micro = volatility,
    };
}

struct rating rating_after_match(const struct rating *own, const struct rating *other,
                                 enum rating_score score, uint32_t tau_milli)
{
    struct rating_game game = {.other = *other, .score = score};
    return rating_after_games(own, &game, 1, tau_milli);
}
