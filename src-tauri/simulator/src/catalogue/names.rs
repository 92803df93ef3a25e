//! The words invented names are made of. Nobody here exists.

/// Artists written out, for the alphabets and signs that break naive code.
pub(super) const ARTISTS: &[(&str, &str)] = &[
    ("The Perpetual Ensemble", "GB"),
    ("Sólrún Ægisdóttir", "IS"),
    ("Ночной Трамвай", "RU"),
    ("夜の図書館", "JP"),
    ("Łucja Ćma", "PL"),
    ("Nord/Süd", "DE"),
    ("Señor Niño & Los Años", "ES"),
    ("Beyoğlu Gecesi", "TR"),
    ("Mötley Zürich", "CH"),
    ("서울 밤바다", "KR"),
    ("Les Œufs Brouillés", "FR"),
    ("!!?!", "US"),
    ("Σκιά & Φως", "GR"),
    ("Dvořákovi Synové", "CZ"),
    ("ليل هادئ", "EG"),
    ("Rock ’n’ Rølle", "DK"),
    ("100% Cotton", "US"),
    ("Mr. Corporate Rate", "US"),
];

pub(super) const ADJECTIVES: &[&str] = &[
    "Amber", "Quiet", "Hollow", "Velvet", "Electric", "Northern", "Paper", "Silver", "Crimson", "Distant",
    "Golden", "Broken", "Lunar", "Salt", "Winter", "Neon", "Wooden", "Slow", "Second", "Glass", "Midnight",
    "Copper", "Wild", "Pale", "Burning", "Tidal", "Concrete", "Endless", "Little", "Ivory",
];

pub(super) const NOUNS: &[&str] = &[
    "Harbour",
    "Lantern",
    "Foxes",
    "Orchard",
    "Cathedral",
    "Engines",
    "Meridian",
    "Satellite",
    "Garden",
    "Mirrors",
    "Rivers",
    "Parade",
    "Static",
    "Horizon",
    "Machines",
    "Letters",
    "Avenue",
    "Sparrow",
    "Thunder",
    "Cartographers",
    "Tower",
    "Pilots",
    "Weather",
    "Signal",
    "Islands",
    "Shadows",
    "Circus",
    "Fever",
    "Summer",
    "Wolves",
];

pub(super) const FIRST: &[&str] = &[
    "Mira", "Jonas", "Inés", "Tobias", "Aoife", "Rafael", "Zoë", "Anton", "Noémie", "Kjell", "Leila",
    "Oskar", "Yuki", "Darragh", "Paloma", "Emil", "Saoirse", "Mateo", "Freyja", "Ilya",
];

pub(super) const LAST: &[&str] = &[
    "Vance",
    "Lindqvist",
    "Okafor",
    "Marchetti",
    "Hale",
    "Brandão",
    "Novak",
    "Dubois",
    "Ferrer",
    "Holm",
    "Ashdown",
    "Kaspersen",
    "Tanaka",
    "Whitlock",
    "Moreau",
    "Quill",
    "Sørensen",
    "Petrov",
    "Rowe",
    "Castellan",
];

pub(super) const VERBS: &[&str] = &[
    "Waiting for",
    "Letters to",
    "Running from",
    "Dancing with",
    "Under",
    "Beyond",
    "Goodbye,",
    "Hello,",
    "Chasing",
    "Remember",
    "Leaving",
    "Song for",
    "Back to",
    "Inside",
    "Over",
    "Dreaming of",
];

pub(super) const UNICODE_TITLES: &[&str] = &[
    "Überall und nirgends",
    "Ça ira, ça va",
    "春の雨",
    "Тихий океан",
    "Año nuevo",
    "Naïve Café",
    "Über/Unter",
    "Þögn",
    "좋은 날",
    "What? (Part 1)",
    "AC & DC",
    "50% of \"Nothing\"",
    "Π",
    "O’Clock",
];

pub(super) const GENRES: &[&str] = &[
    "indie rock",
    "dream pop",
    "techno",
    "jazz",
    "folk",
    "hip hop",
    "ambient",
    "metal",
    "soul",
    "synthpop",
    "post-punk",
    "classical",
    "house",
    "trip hop",
    "country",
    "shoegaze",
];

pub(super) const COUNTRIES: &[&str] =
    &["US", "GB", "DE", "FR", "SE", "NO", "BR", "JP", "CA", "AU", "IE", "NL"];

pub(super) const LABELS: &[&str] = &[
    "Lighthouse Recordings",
    "Paper Moon",
    "Kiosk",
    "Northbound",
    "Halbton",
    "Second Floor",
    "Grain & Hiss",
];
