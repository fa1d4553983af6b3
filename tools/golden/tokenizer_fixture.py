"""Ids and decodings of Hugging Face `tokenizers` for tests/unit/tokenizer.

    python tools/golden/tokenizer_fixture.py

Reads tests/golden/tokenizer/tokenizer.json (written by tools/base-model/train-tokenizer.ts from
corpus.txt there, vocab size 420) and writes expected.json beside it.
"""

import json
import platform
import random
from pathlib import Path

import tokenizers
import transformers
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
    fixture = {
        "made_by": "tools/golden/tokenizer_fixture.py",
        "versions": {
            "python": platform.python_version(),
            "tokenizers": tokenizers.__version__,
            "transformers": transformers.__version__,
        },
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
    print(f"{len(texts)} encodings, {len(decodings)} decodings, {len(dialogues)} dialogues")


if __name__ == "__main__":
    main()
