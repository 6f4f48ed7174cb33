"""Which questions are answered with ids that the form offers, whatever its version.

Rule: only there is an answer read as words (`purchase_or_rental`).  Everywhere else it was typed,
and stands as it was typed: the account `crypto_king_77` is a trace, and no phrase.  A question of
a version that this desk does not know is shown by its id, with its answer as it came.
"""

from __future__ import annotations

CHOICES = frozenset(
    {
        # every report
        "danger_now",
        "role",
        "platform",
        "reporting_from",
        "known",
        "to",
        "originals_kept",
        "device_shared",
        "identity_mode",
        "channel",
        "language",
        # fraud
        "scam_type",
        "money_lost",
        "currency",
        "method",
        "bank_alerted",
        "first_contact",
        "ids_given_away",
        # sexual blackmail
        "victim_minor",
        "shared_already",
        "demand",
        "paid",
        "image_kind",
        "self_harm_thoughts",
        # defamation, threats, harassment
        "target",
        "false_claim_or_insult",
        "consent",
        "public_or_private",
        "author_known",
        "threat_kind",
        "weapon_seen",
        "suspect_near_victim",
        "previous_violence",
        "harassment_kind",
        "contact_wanted_to_stop",
        # incitement, terrorism
        "topic",
        "people_at_risk",
        "kind",
        "imminent",
        "person_known",
        # children
        "what",
        "child_known",
        "access_needed",
        "meeting_planned",
        "images_already_sent",
        # hacking
        "affected",
        "still_locked_out",
        "incident_reported_to_macert",
    }
)

# Answers that speak of danger to life, of a minor or of self-harm; not to be sure counts.
DANGERS: dict[str, frozenset[str]] = {
    "danger_now": frozenset({"yes", "unsure"}),
    "imminent": frozenset({"yes", "unsure"}),
    "victim_minor": frozenset({"yes", "unsure"}),
    "self_harm_thoughts": frozenset({"yes"}),
    # A child at risk, in whatever category it is said.
    "what": frozenset({"adult_contacting_child", "child_blackmailed", "child_exploited_now"}),
    "child_known": frozenset({"yes", "it_is_me"}),
    "meeting_planned": frozenset({"yes"}),
    "people_at_risk": frozenset({"minor"}),
    "target": frozenset({"a_child"}),
    # Somebody who can reach their victim.
    "suspect_near_victim": frozenset({"yes", "unsure", "lives_with"}),
}
