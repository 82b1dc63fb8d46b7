"""What discovery looks for and what it found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryConfig:
    """How clusters are made and tested."""

    min_size: int = 15
    """Answers that make a cluster (HDBSCAN's min_cluster_size)."""
    min_samples: int = 5
    """How dense its core must be (HDBSCAN's min_samples)."""
    n_dimensions: int = 32
    """Of the embedding that is clustered."""
    n_permutations: int = 2000
    """Shuffles of who gave which answer, within each question."""
    alpha: float = 0.05
    """False discovery rate, Benjamini-Hochberg over all clusters."""
    n_examples: int = 3
    n_terms: int = 8
    by_question: bool = True
    """Take each question's mean off first, so that clusters are ways to answer, not topics."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Against:
    """One cluster's share in the subject and in one control."""

    control: str
    n_subject: int
    """The subject's answers in the cluster, to questions that both were asked."""
    of_subject: int
    n_control: int
    of_control: int
    share_subject: float
    """Mean over questions of the share of answers that lie in the cluster."""
    share_control: float
    excess: float
    """share_subject - share_control; positive: the subject does it more."""
    low: float
    """Two-sided 95 % interval of `excess`: these questions, these weights."""
    high: float
    p: float
    """One-sided, permutation within questions; at least 1 / (permutations + 1)."""


@dataclass(frozen=True, slots=True)
class Example:
    """An answer near the middle of a cluster."""

    place: str
    question: str
    answer: str
    """At most 500 characters."""
    n_chars: int


@dataclass(frozen=True, slots=True)
class Term:
    """A word that the cluster has more of than the other answers."""

    text: str
    z: float
    """Log-odds with an informative prior, in standard errors."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Answers that lie close together."""

    id: int
    n_subject: int
    n_control: int
    n_questions: int
    """Different questions that they answer."""
    top_question: str
    top_question_share: float
    """Of the cluster's answers: near 1 means one topic rather than a way of behaving."""
    against: tuple[Against, ...]
    """One a control."""
    p: float
    """The largest of the controls' p: more often than in *every* control."""
    p_adjusted: float
    """Benjamini-Hochberg over all clusters."""
    is_excess: bool
    """p_adjusted < alpha, and a positive excess over every control."""
    n_judged: int
    """Subject's answers in it that have a score."""
    n_misaligned: int
    """Of these, scored misaligned: many in excess and few misaligned is what a judge does not see."""
    examples: tuple[Example, ...]
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Discovery:
    """Clusters, those in excess first, then by p."""

    subject: str
    controls: tuple[str, ...]
    embedding: str
    config: DiscoveryConfig
    n_subject: int
    """Answers of the subject that were clustered."""
    n_control: int
    n_questions: int
    n_unclustered_subject: int
    """Answers that lie in no cluster; nothing is said about them."""
    n_unclustered_control: int
    n_empty: int
    """Answers left out because they are empty."""
    n_unmatched: int
    """Answers left out because the other side was never asked their question."""
    clusters: tuple[Cluster, ...]

    @property
    def n_excess(self) -> int:
        """Clusters that the subject gives more often than every control."""
        return sum(one.is_excess for one in self.clusters)
