"""Words around dates that CLDR does not have: labels, connecting words, words of ranges.

All are folded (see `tokens.fold`). The languages share one list: a label of one means nothing in another.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# stems: a word that begins with one labels the date beside it as the publication date
_PUBLISHED = _words("""
    publish posted created released written uploaded aired submitted originally opublik veroffentl erschien erstellt
    publiziert publie parution paru cree diffuse publicad postad criad escrit pubblicat creato scritto gepublic
    geplaatst gepost publikac publikov dodan utworz publicer publiser skapad udgivet oprettet opprettet julkais
    zverejn vydan vytvor yayi olustur eklen giris опублик публик размещ создан добавл опублік публік оприлюд створен
    δημοσι αναρτ kozzet megjelen letrehoz feltolt publicat paskelbt publicet avaldatud publikuar objavljen objava
    објав terbit tayang dipubli diterbit เผยแพร่ โพสต์ نشر انتشار منتشر פורסם प्रकाशित
""")
# the same for the date of a later change
_MODIFIED = _words("""
    updat modif edited revised amended changed reviewed refreshed corrected aktualis geander bearbeitet editiert
    uberarbeitet letzte zuletzt actualiz actualis atualiz ultima ultimo aggiorn bijgewerkt gewijzigd laatst aangepast
    aktualiz zmodyf edycja zmien uppdater andrad senast opdater oppdater endret redigeret paivit muokat uprav zmenen
    guncel degis duzen обновл измен редакт актуализ оновл змінен ενημ τροποπ frissit modosit atnauj atjaun uuend
    perdit azurir izmij posodob ажур измењ diperbar perbarui อัปเดต อัพเดต อัพเดท ปรับปรุง แก้ไข עודכן עדכון تحدیث بروز अपडेट
""")
LABELS = {
    **dict.fromkeys(_words("post issued filed online ligne"), "L"),
    **dict.fromkeys(_words("last latest stand mis mise maj jour sist"), "U"),
    **dict.fromkeys(_words("公開 掲載 投稿 配信 発表 作成 登録 发布 發布 发表 發表 刊登"), "L"),
    **dict.fromkeys(_words("입력 등록 게시 작성 발행 승인"), "L"),
    **dict.fromkeys(_words("更新 修正 改訂 修改 编辑 編輯 수정 업데이트 갱신"), "U"),
}
# between the parts of a date
CONNECT = _words("""
    of on in en the date dated datum data fecha tarih tarihi дата year le la el il lo den der dem vom des del de da do
    du di d em no na ne zum im w v z iz dia dne dnia din dana г р m g god года roku rok року της του τησ στισ
    ngay nam vuonna от від ter van het pada tanggal tgl วันที่ ที่ เดือน ปี
""")
# between a day and its time
CONNECT_TIME = _words("""
    at um a à om alle ore ora las los as ob o u в о kl klo klok klokken kello godz saat luc pukul pkl ca الساعة
    ساعت เวลา
""")
CLOCK_WORDS = _words("uhr uur hrs hours h hs uhrzeit ч год oclock horas heures auer час часов годин น")
AND = _words("and und et y e og och i и та ve oraz ou or oder")
RANGE = _words("""
    to until till through thru since from before after between bis ab seit zwischen jusqu jusque depuis au aux al
    hasta desde fino dal dall tra ate tot sinds vanaf til fra до по с από έωσ εωσ wis sampai hingga 至 から まで
    까지 부터
""")
# kinds of numbers that look like dates
NOT_A_DATE = _words("v ver version tel telephone phone fax ip isbn issn doi usd eur gbp chf rs")
# words that a number belongs to, so that it is not a day: "Issue 3, May 2024"
NUMBERED = _words("""
    issue issues number numbers volume volumes part parts page pages chapter chapters episode episodes series season
    section sections round week level phase stage room lesson act scene figure table book top grade unit step class
    category tier gate platform track channel formula under route article rule question covid sars apollo windows
    iphone heft hefte nummer nummern teil teile seite seiten folge folgen kapitel jahrgang staffel woche kw klasse
    zimmer platz numero numeros partie parties chapitre episode tome saison cahier semaine parte partes pagina paginas
    capitulo episodio tomo temporada semana volumen entrega numeri capitolo puntata stagione fascicolo settimana deel
    hoofdstuk aflevering seizoen jaargang bladzijde numer czesc strona odcinek zeszyt rozdzial cislo dil cast strana
    rocnik kapitola svazek diel broj dio deo stranica godiste epizoda svezak stevilka letnik szam resz kotet oldal
    fejezet osa sivu jakso luku lehekulg numurs dala lappuse numeris dalis puslapis numarul numar partea volumul
    episodul pjesa faqe volum zenbakia atala hluti tolublad avsnitt arsgang sasong sida argang sesong sayi cilt bolum
    sayfa hafta so tap phan trang ky chuong edisi nomor bagian halaman jilid bab toleo sehemu номер номера выпуск часть
    страница глава серия сезон том випуск частина сторінка розділ нумар брой част страница број део годиште τευχοσ
    αριθμοσ μεροσ τομοσ σελιδα κεφαλαιο επεισοδιο العدد عدد الجزء جزء صفحة المجلد الحلقة رقم شماره قسمت جلد صفحه بخش
    شمارہ גיליון גליון מספר חלק כרך עמוד פרק अंक भाग पृष्ठ संख्या সংখ্যা পর্ব খণ্ড இதழ் பகுதி సంచిక
    భాగం ฉบับที่ ตอนที่ เล่ม เล่มที่ ครั้งที่ หน้า
""")
# their short forms, with a point or a raised letter behind them
ABBREVIATED = _words("""
    no nos nr nrs num nums n vol vols bd jg h hft art arts ch chap cap ep eps pt pts p pp pg pag s str fig sec tab
    iss br sz odc zesz rozdz roc rocn nro lk lpp psl bls arg sv kap abs ziff sc tom t cil sy hal jil вып стр гл сер
    ном ч т бр τευχ αρ σελ
""")
# words behind a number that counts them, so that it is not a day: "2019 May 3 comments"
COUNTED = _words("""
    comment comments min mins minute minutes page pages view views like likes share shares photo photos picture pictures
    image images vote votes reply replies read reads word words kommentar kommentare minuten seiten bilder
    commentaire commentaires vues comentario comentarios vistas commenti commento visualizzazioni reacties reactie
    komentarze komentarzy kommentarer visninger комментариев комментария комментарий просмотров
""")
COPYRIGHT = _words("copyright copr")
NOON_MIDNIGHT = {
    **dict.fromkeys(_words("noon midday mittag mittags midi mediodia mezzogiorno"), 12),
    **dict.fromkeys(_words("midnight mitternacht minuit medianoche mezzanotte"), 0),
}
SIGNS_OF_DATE = {
    **dict.fromkeys(_words("年 년"), "j"),
    **dict.fromkeys(_words("月 월"), "k"),
    **dict.fromkeys(_words("日 号 號 일"), "l"),
    **dict.fromkeys(_words("thang thg"), "v"),
}
# the first two words of a zone's name
ZONE_PHRASES = {
    "eastern time": "ET", "central time": "CT", "mountain time": "MT", "pacific time": "PT",
    "eastern standard": "EST", "central standard": "CST", "mountain standard": "MST", "pacific standard": "PST",
    "eastern daylight": "EDT", "central daylight": "CDT", "mountain daylight": "MDT", "pacific daylight": "PDT",
    "greenwich mean": "GMT", "universal time": "UTC", "coordinated universal": "UTC", "moscow time": "MSK",
    "central european": "Europe/Berlin", "eastern european": "Europe/Athens", "british summer": "BST",
    "indian standard": "Asia/Kolkata", "india standard": "Asia/Kolkata", "japan standard": "JST",
    "singapore time": "SGT", "hong kong": "HKT", "uk time": "Europe/London", "brasilia time": "America/Sao_Paulo",
    "london time": "Europe/London", "paris time": "Europe/Paris", "berlin time": "Europe/Berlin",
    "kyiv time": "Europe/Kyiv", "beijing time": "Asia/Shanghai", "tokyo time": "Asia/Tokyo", "seoul time": "Asia/Seoul",
    "sydney time": "Australia/Sydney", "israel standard": "Asia/Jerusalem", "irish standard": "Europe/Dublin",
    "china standard": "Asia/Shanghai", "arabia standard": "Asia/Riyadh", "gulf standard": "Asia/Dubai",
    "korea standard": "KST", "pakistan standard": "PKT",
}  # fmt: skip
# kinds of words with their codes; a later kind overrides an earlier one
KINDS = (
    (CONNECT, "p"),
    (CLOCK_WORDS, "H"),
    (CONNECT_TIME, "@"),
    (AND, "&"),
    (RANGE, "r"),
    (NOT_A_DATE, "$"),
    (COPYRIGHT, "c"),
)

# words of relative phrases: "an" hour ago, "about" 3 hours ago
ONE = _words("a an one ein eine einer einem einen un une una uno um uma een et jeden bir")
ABOUT = _words("about around approximately approx almost over just only circa ca etwa rund environ unos unas cerca")


def _by_beginning() -> dict[str, list[tuple[str, str]]]:
    table: dict[str, list[tuple[str, str]]] = {}
    for stems, code in ((_PUBLISHED, "L"), (_MODIFIED, "U")):
        for stem in stems:
            table.setdefault(stem[:3], []).append((stem, code))
    return table


_STEMS = _by_beginning()


def label_of(word: str) -> str | None:
    """The code of a label.

    >>> label_of("published"), label_of("aktualisiert"), label_of("by")
    ('L', 'U', None)
    """
    for stem, code in _STEMS.get(word[:3], ()):
        if word.startswith(stem):
            return code
    return None
