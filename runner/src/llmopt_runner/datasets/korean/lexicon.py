"""People and things that the Korean templates speak of. Any of them fits any template that uses its list."""

from llmopt_runner.datasets.korean.words import Thing

NAMES = (
    "민수", "지영", "서준", "하은", "도윤", "수아", "예준", "지호", "유진", "태현", "소연", "현우",
    "나은", "준서", "미나", "동현", "은채", "시우", "가영", "성민", "보라", "재원", "다은", "영호",
)  # fmt: skip

_FRUIT, _SMALL, _BOOKS = ("상자", "봉지", "바구니"), ("상자", "봉지", "주머니"), ("상자", "가방")
_PENS, _PAPER, _FLOWERS = ("상자", "필통"), ("상자", "봉투"), ("바구니", "꽃병")

# Small things that one person can own, give away and share out.
THINGS = (
    Thing("사과", "개", _FRUIT), Thing("귤", "개", _FRUIT),
    Thing("구슬", "개", _SMALL), Thing("사탕", "개", _SMALL),
    Thing("지우개", "개", _PENS), Thing("공책", "권", _BOOKS),
    Thing("동화책", "권", _BOOKS), Thing("만화책", "권", _BOOKS),
    Thing("연필", "자루", _PENS), Thing("색연필", "자루", _PENS),
    Thing("색종이", "장", _PAPER), Thing("우표", "장", _PAPER),
    Thing("딱지", "장", ("상자", "주머니")), Thing("장미", "송이", _FLOWERS),
    Thing("튤립", "송이", _FLOWERS), Thing("양말", "켤레", ("상자", "바구니")),
)  # fmt: skip

# What a shop sells: the thing and the prices it may have, in won.
GOODS = (
    (Thing("빵", "개"), (800, 1_000, 1_200, 1_500, 2_300)),
    (Thing("우유", "병"), (900, 1_100, 1_400, 1_800)),
    (Thing("주스", "병"), (1_200, 1_500, 1_700, 2_000)),
    (Thing("공책", "권"), (700, 900, 1_300, 1_600)),
    (Thing("연필", "자루"), (300, 400, 500, 600)),
    (Thing("지우개", "개"), (200, 400, 500, 700)),
    (Thing("엽서", "장"), (500, 600, 800, 1_000)),
    (Thing("초콜릿", "개"), (600, 1_000, 1_400, 1_900)),
)

# Dearer things, for discounts.
DEAR_GOODS = ("가방", "운동화", "모자", "시계", "책상", "의자", "우산", "외투", "축구공", "이불")

ANIMALS = ("강아지", "고양이", "오리", "토끼", "염소", "거위", "양", "돼지")
# What a person may take to a place in town.
RIDES = ("버스", "지하철", "택시", "자전거", "기차")
VEHICLES = ("자동차", "버스", "기차", "오토바이", "트럭")
SUBJECTS = ("국어", "수학", "영어", "과학", "사회", "음악")
PLACES = ("도서관", "시장", "박물관", "공원", "수영장", "서점", "병원", "미술관", "우체국", "체육관")
CITIES = ("서울", "부산", "대구", "광주", "대전", "강릉", "전주", "여수", "춘천", "목포")
ACTIVITIES = ("수영", "피아노", "태권도", "미술", "독서", "축구", "바둑", "요리", "발레", "합창")
WEEKDAYS = ("월요일", "화요일", "수요일", "목요일", "금요일", "토요일", "일요일")
# A colour, and the other words for it that an answer may use.
COLOUR_WORDS = {
    "빨간색": ("빨강", "빨간", "빨강색", "붉은색"),
    "파란색": ("파랑", "파란", "파랑색"),
    "노란색": ("노랑", "노란", "노랑색"),
    "초록색": ("초록", "녹색", "초록빛"),
    "보라색": ("보라", "보랏빛"),
    "하얀색": ("하양", "하얀", "흰색", "흰", "하양색"),
    "검은색": ("검정", "검은", "검정색", "까만색"),
    "분홍색": ("분홍", "핑크색", "핑크"),
}
COLOURS = tuple(COLOUR_WORDS)
