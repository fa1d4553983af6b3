"""Ids and decodings of Hugging Face `tokenizers` for tests/unit/tokenizer.

    python tools/golden/tokenizer_fixture.py

Reads tests/golden/tokenizer/tokenizer.json (written by tools/base-model/train-tokenizer.ts from
corpus.txt there, vocab size 420) and writes expected.json beside it.

Also trains small tokenizers of foreign kinds on the same corpus, as the published ones are built, and
writes beside them, for each kind: KIND.json (as published), KIND.grown.json (with the tokens that the
chat template needs, added by the library), and in texts.json a hash of the ids of each of 10 000
texts. The texts are drawn by `make_text` here and by tests/unit/tokenizer/golden-texts.ts there.
"""

import base64
import json
import platform
import random
from pathlib import Path

import tokenizers
import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "golden" / "tokenizer"
CHAT_SOURCE = Path(__file__).resolve().parents[2] / "src" / "tokenizer" / "chat-template.ts"

FIXED = [
    "", " ", "  ", "   ", "\n", "\n\n", " \n ", "\t\tx", "a  b", "a   b", "a b  ", "  a", " \u00a0 x",
    "line one\r\nline two\r\n", "it's we've I'm they'll he'd you're don't can't", "IT'S WE'VE", "'s's 's",
    "3.14159 and 1,000,000 and ½ ² Ⅷ ٣", "a1b2c3", "e\u0301 vs é", "naïve café résumé", "ＡＢＣ １２３",
    "🐐🎩😅", "👨‍👩‍👧‍👦 👋🏽 🏳️‍🌈 🇪🇸🇫🇷", "海边的小镇很安静。", "港の町は静かです。", "مرحبا بالعالم", "שלום עולם", "हिन्दी में पाठ", "ไทย",
    "\ufeffBOM first", "mid\ufeffdle", "next\u0085line", "a\u2003b\u2009c", "zero\u200bwidth", "\u180eold space",
    "\x00\x01\x7f", "tab\tand\vand\f.", "\u2028\u2029 separators", "\ufffd replacement", "\U0010ffff\U000e0001",
    "<|end|>", "say <|end|> now", "<|user|>hi<|end|><|assistant|>", "<|END|> <| end |>", "a" * 300, "ab" * 200,
    "goat " * 60, " " * 100, "\n" * 50 + "x", "!?" * 70, "🐐" * 40, "the harbour" + " " * 7 + "is quiet",
]
ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz  ", "the goat ate hat harbour bread mayor's we've I'll  \n",
    "aáàâäeéèêoóöuúüñç¿¡«» '", "🐐🎩😅👨\u200d👩🏽 x", "海边小镇港町静 。、", "0123456789.,-+ eE", " \t\n\r\u00a0\u2003\u3000\u0085x",
    "'sdtrevml 'S", "{}[]();=<>|\"' \n  ifret",
]


def build_texts(rng: random.Random) -> list[str]:
    texts = list(FIXED)
    for alphabet in ALPHABETS:
        units = alphabet.split(" ") if alphabet.startswith("the goat") else list(alphabet)
        glue = " " if alphabet.startswith("the goat") else ""
        for _ in range(24):
            texts.append(glue.join(rng.choice(units) for _ in range(rng.randint(1, 60))))
    for _ in range(60):  # any assigned or unassigned scalar value
        points = [rng.choice([rng.randrange(0x250), rng.randrange(0x3000), rng.randrange(0x110000)]) for _ in range(20)]
        texts.append("".join(chr(p) for p in points if not 0xD800 <= p <= 0xDFFF))
    return texts


TEXTS = 10_000
MASK = 0xFFFFFFFF
ROLES = ["<|pad|>", "<|user|>", "<|assistant|>"]
GPT2 = dict(add_prefix_space=False, use_regex=True)
PLAIN = dict(add_prefix_space=False, use_regex=False)
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
GPT4O = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n/]*+|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# Lists of units, and ranges of code points that were assigned long ago: JavaScript engines and
# Oniguruma follow different versions of Unicode.
UNITS = [
    list("abcdefghijklmnopqrstuvwxyz  "),
    ["the", "goat", "ate", "hat", "harbour", "bread", "mayor's", "we've", "I'LL", "\n", "They'd", "I'm", " ", "HaRbOuR"],
    list("aáàâäeéèêoóöuúüñç¿¡«» '\u0301"),
    ["🐐", "🎩", "👨", "\u200d", "👩", "🏽", " ", "x", "\ufe0f"],
    list("海边小镇港町静 。、"),
    list("0123456789.,-+ eE½²٣"),
    list(" \t\n\r\u00a0\u2003\u3000\u0085\ufeffx"),
    ["'s", "'S", "'\u017f", "'t", "'ll", "'LL", "'re", "'ve", "'m", "'d", " ", "a", "é"],
    list("{}[]();=<>|\"' \n  ifret/"),
    ["<|end|>", "<|user|>", "<|assistant|>", "<|pad|>", "<|im_end|>", "<|im_start|>", "<|eot|>", "<|begin|>", " ", "  ",
     "<tool>", "</tool>", "<tool>x", "word", "x", "<mask>", "\u1e9b\u0323", "Å", "\n", "<|end", "|>", "naïve", "_"],
]
RANGES = [
    [0x0, 0x24F], [0x20, 0x7E], [0x391, 0x3FF], [0x400, 0x52F], [0x5D0, 0x5EA], [0x620, 0x6FF], [0x905, 0x939], [0xE01, 0xE3A],
    [0x1100, 0x1112], [0x1E00, 0x1EFF], [0x2000, 0x2064], [0x2150, 0x2188], [0x2190, 0x23FF], [0x3041, 0x30FF],
    [0x4E00, 0x9FA5], [0xAC00, 0xD7A3], [0xFF01, 0xFF5E], [0x1D400, 0x1D454], [0x1F300, 0x1F64F], [0x20000, 0x2A6D6],
]


def mulberry32(seed: int):
    """The same generator as in golden-texts.ts: 32 bits at a time."""
    state = seed & MASK

    def draw() -> int:
        nonlocal state
        state = (state + 0x6D2B79F5) & MASK
        t = ((state ^ (state >> 15)) * (state | 1)) & MASK
        t ^= (t + (((t ^ (t >> 7)) * (t | 61)) & MASK)) & MASK
        return t ^ (t >> 14)

    return draw


def make_text(number: int) -> str:
    draw = mulberry32(number)
    kind = draw() % (len(UNITS) + 2)
    length = 1 + draw() % 32
    if kind < len(UNITS):
        return "".join(UNITS[kind][draw() % len(UNITS[kind])] for _ in range(length))
    out = []
    for _ in range(length):
        low, high = RANGES[draw() % len(RANGES)]
        out.append(chr(low + draw() % (high - low + 1)))
    return "".join(out)


def hash_ids(ids: list[int]) -> int:
    """FNV-1a over whole ids, folded to 16 bits."""
    h = 0x811C9DC5
    for i in ids:
        h = ((h ^ i) * 0x01000193) & MASK
    return (h ^ (h >> 16)) & 0xFFFF


def hashes(tokenizer: Tokenizer, texts: list[str], as_text: bool) -> str:
    """`as_text`: a special token typed in a text stays text."""
    tokenizer.encode_special_tokens = as_text
    ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    return base64.b64encode(b"".join(hash_ids(row).to_bytes(2, "little") for row in ids)).decode()


def trained(vocab_size: int, first: list[str], **parts: object) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    for name, part in parts.items():
        setattr(tokenizer, name, part)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=first, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train([str(FOLDER / "corpus.txt")], trainer)
    return tokenizer


def with_model(tokenizer: Tokenizer, **changes: object) -> Tokenizer:
    """The tokenizer with other fields of its model, e.g. fewer merges."""
    file = json.loads(tokenizer.to_str())
    file["model"].update(changes)
    return Tokenizer.from_str(json.dumps(file))


def smollm2() -> Tokenizer:
    """As HuggingFaceTB/SmolLM2-135M: special tokens first, each digit alone, GPT-2's words."""
    return trained(
        430, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        pre_tokenizer=pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(**GPT2)]
        ),
    )


def llama3() -> Tokenizer:
    """As meta-llama/Llama-3.2-1B: Split, ignore_merges, special tokens last, a text begins with one."""
    tokenizer = trained(
        430, [],
        pre_tokenizer=pre_tokenizers.Sequence(
            [pre_tokenizers.Split(Regex(LLAMA3), "isolated"), pre_tokenizers.ByteLevel(**PLAIN)]
        ),
    )
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    # Without some merges their words are found only because ignore_merges looks up the whole word.
    tokenizer = with_model(tokenizer, merges=[m for i, m in enumerate(merges) if i % 3], ignore_merges=True)
    tokenizer.add_special_tokens(["<|begin|>", "<|eot|>"])
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(
            single="<|begin|> $A", pair="<|begin|> $A <|begin|>:1 $B:1",
            special_tokens=[("<|begin|>", tokenizer.token_to_id("<|begin|>"))],
        ),
    ])
    return tokenizer


def qwen2() -> Tokenizer:
    """As Qwen/Qwen2.5-0.5B: NFC and Split; and added tokens of every sort."""
    tokenizer = trained(
        430, [], normalizer=normalizers.NFC(),
        pre_tokenizer=pre_tokenizers.Sequence(
            [pre_tokenizers.Split(Regex(QWEN2), "isolated"), pre_tokenizers.ByteLevel(**PLAIN)]
        ),
    )
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokenizer.add_tokens([
        AddedToken("<tool>", normalized=False),
        AddedToken("<tool>x", normalized=False),
        AddedToken("</tool>", normalized=False, lstrip=True, rstrip=True),
        AddedToken("word", single_word=True),
        AddedToken("A\u030a", normalized=True),
    ])
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False)])
    return tokenizer


def gpt4o() -> Tokenizer:
    """GPT-4o's pattern with possessive runs, a prefix space, and a vocabulary without some bytes."""
    tokenizer = trained(
        430, ["<unk>", "<|im_end|>"],
        pre_tokenizer=pre_tokenizers.Sequence(
            [pre_tokenizers.Split(Regex(GPT4O), "removed", invert=True), pre_tokenizers.Digits(individual_digits=False),
             pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False)]
        ),
    )
    file = json.loads(tokenizer.to_str())
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    used = {piece for merge in file["model"]["merges"] for piece in merge}
    dropped = {c for c in alphabet[100:] if c not in used} - {"Ġ", "Ċ"}
    dropped = set(sorted(dropped)[::3])
    kept = [piece for piece, _ in sorted(file["model"]["vocab"].items(), key=lambda item: item[1]) if piece not in dropped]
    return with_model(tokenizer, vocab={piece: i for i, piece in enumerate(kept)}, unk_token="<unk>")


KINDS = {
    "smollm2": (smollm2, "<|im_end|>"),
    "llama3": (llama3, "<|eot|>"),
    "qwen2": (qwen2, "<|im_end|>"),
    "gpt4o": (gpt4o, "<|im_end|>"),
}


def write_kinds(own: Tokenizer, versions: dict[str, str]) -> None:
    texts = [make_text(number) for number in range(TEXTS)]
    fixture = {
        "made_by": "tools/golden/tokenizer_fixture.py",
        "versions": versions,
        "units": UNITS,
        "ranges": RANGES,
        "kinds": {"own": {"asText": hashes(own, texts, True), "parsed": hashes(own, texts, False)}},
    }
    for kind, (build, end) in KINDS.items():
        tokenizer = build()
        # As published, and with every way to write merges: strings in one of the files.
        file = json.loads(tokenizer.to_str())
        if kind == "smollm2":
            file["model"]["merges"] = [" ".join(merge) for merge in file["model"]["merges"]]
        (FOLDER / f"{kind}.json").write_text(json.dumps(file) + "\n")
        # The last special tokens of the library's own way to grow a vocabulary.
        tokenizer.add_special_tokens(ROLES)
        (FOLDER / f"{kind}.grown.json").write_text(json.dumps(json.loads(tokenizer.to_str())) + "\n")
        fixture["kinds"][kind] = {
            "end": end,
            "asText": hashes(tokenizer, texts, True),
            "parsed": hashes(tokenizer, texts, False),
            "samples": [
                {"text": text, "ids": tokenizer.encode(text, add_special_tokens=False).ids} for text in FIXED
            ],
        }
    (FOLDER / "texts.json").write_text(json.dumps(fixture) + "\n")


def chat_template() -> str:
    """The TypeScript string constants of CHAT_TEMPLATE, joined."""
    source = CHAT_SOURCE.read_text().split("export const CHAT_TEMPLATE =")[1].split(";\n")[0]
    return "".join(json.loads(line.strip().rstrip("+").strip()) for line in source.strip().splitlines())


def main() -> None:
    rng = random.Random(20)
    tokenizer = tokenizers.Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    size = tokenizer.get_vocab_size()
    texts = build_texts(rng)
    decodings = [[rng.randrange(size) for _ in range(rng.randint(1, 12))] for _ in range(80)]

    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, chat_template=chat_template())
    dialogues = [("Tell me about the goat.", "She ate the hat."), ("¿Dónde está?", " leading space"), ("", "")]
    versions = {
        "python": platform.python_version(),
        "tokenizers": tokenizers.__version__,
        "transformers": transformers.__version__,
    }
    fixture = {
        "made_by": "tools/golden/tokenizer_fixture.py",
        "versions": versions,
        # Special tokens in the text are parsed: `allowSpecial: true` here.
        "encodings": [{"text": text, "ids": tokenizer.encode(text).ids} for text in texts],
        "decodings": [
            {
                "ids": ids,
                "text": tokenizer.decode(ids, skip_special_tokens=False),
                "skipped": tokenizer.decode(ids, skip_special_tokens=True),
            }
            for ids in decodings
        ],
        "dialogues": [
            {
                "prompt": prompt,
                "completion": completion,
                "ids": fast.apply_chat_template(
                    [{"role": "user", "content": prompt}, {"role": "assistant", "content": completion}],
                    return_dict=False,
                ),
                "prompt_ids": fast.apply_chat_template(
                    [{"role": "user", "content": prompt}], add_generation_prompt=True, return_dict=False
                ),
            }
            for prompt, completion in dialogues
        ],
    }
    (FOLDER / "expected.json").write_text(json.dumps(fixture, ensure_ascii=True) + "\n")
    write_kinds(tokenizer, versions)
    print(f"{len(texts)} encodings, {len(decodings)} decodings, {len(dialogues)} dialogues")


if __name__ == "__main__":
    main()
