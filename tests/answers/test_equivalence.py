import pytest

from ttcs.answers import equivalent

SAME = {
    "integers": ["023|23", "-0|0", "5.|5", "+7|7", "2^{10}|1024", "2^10|1024"],
    "fractions": [r"\frac12|0.5", r"\tfrac 34|3/4", r"\frac{270}7|270/7", r"-\frac{1}{2}|\frac{-1}{2}", "½|0.5",
        r"\frac34i|0.75i"],
    "decimals": [".5|0.5", "1.0|1", r"0.1\overline{6}|1/6", "0.0833333333333333|1/12"],
    "mixed numbers": [r"2\frac{1}{2}|2.5", "1 1/4|5/4", r"-3 \frac{1}{2}|-3.5"],
    "powers of ten": [r"2.5\times 10^2|250", "1e-3|0.001", "3 × 10²|300", r"3\text{ million}|3000000"],
    "thousands": ["7,425,000|7425000", r"32,\!349|32349", "14{,}916|14916", r"10\,000|10000", "1 000|1000",
        "1,234/2|617"],
    "Unicode": ["2π/3|\\frac{2\\pi}{3}", "2√3|\\sqrt{12}", "5 − 3|2", "x² + 1|x^2+1", "x₁+1|x_1+1"],
    "decimals a computer printed": ["0.30000000000000004|0.3", "2.9999999999999996|3", "1234.5600000000001|1234.56",
        "66.66666666666667|200/3"],
    "units of a fraction": [r"25\ \frac{\text{km}}{\text{h}}|25", r"9.8\,\frac{\mathrm{m}}{\mathrm{s}^2}|9.8",
        r"\frac{25\text{ km}}{\text{h}}|25", r"25\ \text{km}/\text{h}|25", r"25\ \frac{km}{h}|25",
        r"9.8\ \mathrm{m}\,\mathrm{s}^{-2}|9.8", r"3\sqrt{2}\ \frac{\text{m}}{\text{s}}|3\sqrt2"],
    "units of a list": ["5 cm, 7 cm|5, 7", "5 cm and 7 cm|5, 7", r"5\text{ cm and }7\text{ cm}|5, 7", r"\$5, \$7|5, 7",
        r"5\text{ apples} \text{ and } 7\text{ apples}|5, 7", "(3 cm, 4 cm)|(3, 4)",
        "5 m, 7 m|5, 7", "5 apples, 7 apples|5, 7", "1 foot, 7 feet|1, 7", "5, 7 cm|5, 7"],
    "colors": [r"\textcolor{blue}{12}|12", r"{\color{red} 12}|12", r"\color{red}12|12", r"\colorbox{yellow}{$12$}|12",
        r"\frac{\textcolor{red}{3}}{4}|0.75", r"\underline{12}|12",
        r"\textbf{\textcolor{blue}{B}}|B", r"\textcolor{blue}{1}, \textcolor{red}{2}|1, 2"],
    "characters that are not seen": ["\u200b12|12", "1\u20602|12", "2\u2062x|2x"],
    "arithmetic written out": ["9 + 8 + 6 = 23|23", r"\frac{6}{4} = \frac{3}{2}|1.5", r"3 \times 4 = 12 = 10 + 2|12",
        r"5 + 6 = 11 \text{ apples}|11", "9 + 8 + 6 = 23 = x|23",
        r"5 \text{ cm} + 6 \text{ cm} = 11 \text{ cm}|11", r"\sum_{k=1}^{3} k = 6|6"],
    "roots of unknowns": [r"\sqrt{1/n}|\frac{1}{\sqrt{n}}", r"\sqrt{a}\sqrt{b}|\sqrt{ab}", r"\sqrt{n^3}|n\sqrt{n}",
        r"\sqrt{\frac{a}{b}}|\frac{\sqrt{a}}{\sqrt{b}}", r"\sqrt{n}\sqrt{n+1}|\sqrt{n^2+n}",
        r"\sqrt{1-x}\sqrt{1+x}|\sqrt{1-x^2}", r"\sqrt{x-1}\sqrt{x+1}|\sqrt{x^2-1}",
        r"\sqrt{(1-x)(2-x)}|\sqrt{x^2-3x+2}", r"2\sqrt{2x}|\sqrt{8x}",
        r"(\sqrt{a}+\sqrt{b})(\sqrt{a}-\sqrt{b})|a-b", r"\sqrt{4x^2}|2\sqrt{x^2}", r"\sqrt{x^4}|x^2"],
    "odd roots": [r"\sqrt[3]{-8}|-2", r"\sqrt[5]{-32}|-2", r"(-8)^{2/3}|4", r"\sqrt[3]{x^3}|x",
        r"\sqrt[3]{-x}|-\sqrt[3]{x}", r"\sqrt[3]{1-\sqrt{2}}|-\sqrt[3]{\sqrt{2}-1}", r"\sqrt{-4}|2i"],
    "thousands of a list": ["1,000, 2,000|2000; 1000"],
    "units": [r"12\text{ cm}^2|12", "12 cm|12", r"15\mbox{ cm}^2|15", "1,000.99m²|1000.99",
        r"12^{\mathrm{th}} grade|12"],
    "degrees, percent, currency": [r"90^\circ|90", "90°|90", r"50\%|50 percent", r"\$1,000.00|1000", "3€|3"],
    "TeX": [r"\text{13}|13", r"\mathbf{7}|7", r"\left(1,2\right)|(1, 2)", "$9$|9", r"\( 9 \)|9", "**73**|73",
        r"\sqrt2|\sqrt{2}"],
    "plain notation": ["sqrt(8)/2|\\sqrt{2}", "18+2pi|18+2\\pi", "70*sqrt(2)|70\\sqrt{2}", "x**2|x^2", "exp(2)|e^2",
        "2^(1/3)|\\sqrt[3]{2}"],
    "decimals in expressions": [r"0.1\sqrt{2}|\frac{\sqrt{2}}{10}", "2.5x|5x/2"],
    "numbers": [r"\log_2 8|3", r"e^{i\pi}|-1", r"\frac{\sqrt{3}}{3}|\frac{1}{\sqrt{3}}", r"\binom{5}{2}|10",
        "14.0 + -1.0i|14-i"],
    "logarithms": [r"\ln(ab)|\ln a+\ln b", r"\lg 100|2"],
    "expressions": ["(x-1)(x+1)|x^2-1", r"\tan^2 y + 1|\sec^2 y", "x^{-1}|1/x", r"\sqrt{x^2}||x|",
        r"\frac{n!}{(n-2)!}|n(n-1)"],
    "bases": ["101_2|101_{2}", "101_2|(101)_2", "52_8|52"],
    "choices": ["(B)|B", r"\text{(B)}|\textbf{B}", "B.|B"],
    "words": [r"\text{Evelyn}|evelyn", r"\text{even}|Even"],
    "names": ["x=5|5", "5=x|5", r"k = \frac13|1/3", "(x,y)=(1,2)|(1,2)", "f(x)=x+1|x+1", "y=2x+3|2x+3",
        "x = 5+6 = 11|11"],
    "approximations": [r"\sqrt{3} \approx 1.732|\sqrt3", r"x\approx 11|11"],
    "equations": ["2x+4y-3=0|y=-x/2+3/4", "x^2+y^2=1|2y^2=2-2x^2"],
    "inequalities": ["x>=5|5 \\le x", "-x > -1|x<1", "x<3|(-\\infty,3)", "-2 ≤ x ≤ 7|[-2,7]",
        "x \\ne 3|(-\\infty,3)\\cup(3,\\infty)"],
    "joined inequalities": [r"x < -2 \text{ or } x > 2|(-\infty,-2)\cup(2,\infty)", "x > 0 and x < 2|(0,2)"],
    "intervals": [r"(0,9)\cup(9,36)|(0,36)\setminus\{9\}", r"[0,2]\cup[1,3]|[0,3]", r"x\in[1,2]|[1,2]",
        r"\mathbb{R}|(-\infty,\infty)"],
    "sets and lists": [r"\{x \mid x > 2\}|(2,\infty)", "1,2,3|3, 2, 1", r"\{1,2\}|2 and 1", r"\emptyset|\{\}",
        "x=2 or x=3|2,3",
        "19, 46, and 82|82,46,19"],
    "plus-minus": [r"1 \pm \sqrt{19}|1+\sqrt{19}, 1-\sqrt{19}", r"\{2 \pm 1\}|\{1,3\}", "x = ±2|-2, 2"],
    "tuples": ["(0;1)|(0,1)", r"\left(\frac32,-13\right)|(1.5,-13)", "(1,2),(3,4)|(3,4),(1,2)",
        r"\langle 1,2\rangle|(1,2)"],
    "matrices": [r"\begin{pmatrix}1\\ 1/2\end{pmatrix}|\begin{bmatrix}1 \\ \frac{1}{2}\end{bmatrix}"],
    "ratios": ["3:4|3 : 4", "S_{ABC}:S=7:32|7:32"],
}  # fmt: skip
DIFFERENT = {
    "numbers": [
        "1|2",
        "5|5.001",
        "1/3|0.333",
        r"\pi|3.14",
        "2^{100}|2^{100}+1",
        r"\frac{1}{2004!}|\frac{1}{2006!}",
        "1 2|2",
    ],
    "decimals": [
        "0.3001|0.3",
        "0.3000000000001|0.3",
        r"3.141592653589793|\pi",
        "3.141592653589793|3.14159265359",
        "0.33333|1/3",
    ],
    "arithmetic written out": [r"2 \cdot 7 = 14|2", "9 + 8 + 6 = 24|23", "x + 2 = 5|5"],
    "roots": [
        r"\sqrt{x^2}|x",
        r"\sqrt{x^2y}|x\sqrt{y}",
        r"\sqrt{a^2b^2}|ab",
        r"\sqrt{(x+1)^2}|x+1",
        r"\sqrt[4]{x^4}|x",
        r"\sqrt{x}|-\sqrt{x}",
        r"\sqrt{ab}|\sqrt{a}+\sqrt{b}",
        r"\sqrt[3]{-8}|2",
        r"\sqrt{-4}|-2",
    ],
    "units of a list": [
        "5 feet, 3 inches|3 feet, 5 inches",
        "5 cm, 7 cm|5",
        "5 hours and 20 minutes|5, 20",
        r"\frac{\text{m}}{\text{s}}|1",
    ],
    "tiny numbers": [r"10^{-40}\pi|0", "e^{-500}|e^{-501}", "e^{-1000}|0"],
    "huge numbers": ["10^{10^{10}}|10^{10^{11}}", "99!|100!"],
    "no numbers": [r"\frac{1}{0}|0", r"\frac{1}{0}|\infty", r"\text{no solution}|0", r"\emptyset|0"],
    "expressions": [
        "x|y",
        "x|X",
        "2k|2",
        "3m|3",
        r"\sqrt{x^2}|x",
        "f(1)|f(2)",
        "a-b|b-a",
        r"\frac{11+9a}{20}|11+9a/20",
    ],
    "order": [
        "(1,2)|(2,1)",
        "x=1,y=2|x=2,y=1",
        r"\begin{pmatrix}1&2\end{pmatrix}|\begin{pmatrix}1\\2\end{pmatrix}",
        "3:4|4:3",
    ],
    "ends": ["(1,2)|[1,2]", "[1,2)|(1,2]", "x>1|x \\ge 1", "x>1|x<1"],
    "members": ["1,2|1", "1,2|1,2,3", r"\{1,2\}|(1,2)", "100, 200|300", r"\pm 2|2"],
    "mixed numbers": [r"1\frac{4}{5}|14/5", r"137 \frac{1}{2}|1371/2"],
    "bases": ["52_8|52_9", "52_8|528"],
    "words": ["A|B", r"\text{yes}|\text{no}", r"2\text{ PM}|2\text{ AM}", "odd|oddd"],
    "equations": ["a^2+b=0|0", "2x+z=1|1", "n=3k|3", "y=x|y=-x", "7=11a+c|11a+c"],
    "vectors": [r"\mathbf{i}+2\mathbf{j}|2+\mathbf{i}"],
    "text": [r"\text{Alice and Bob}|\text{Alice}", r"1 \text{ hour } 20 \text{ minutes}|1"],
    "magnitudes": [r"3\text{ million}|3"],
    "blanks": ["|", " | ", "5|", "$$|$$"],
}


def _pairs(rules: dict[str, list[str]]) -> list[object]:
    # The first bar divides the two; any other is an absolute value.
    pairs = [(rule, *pair.split("|", 1)) for rule, listed in rules.items() for pair in listed]
    return [pytest.param(a, b, id=f"{rule}: {a} ~ {b}") for rule, a, b in pairs]


@pytest.mark.parametrize(("a", "b"), _pairs(SAME))
def test_same(a: str, b: str) -> None:
    assert equivalent(a, b)
    assert equivalent(b, a)


@pytest.mark.parametrize(("a", "b"), _pairs(DIFFERENT))
def test_different(a: str, b: str) -> None:
    assert not equivalent(a, b)
    assert not equivalent(b, a)
