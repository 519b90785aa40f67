"""The words the painter knows, English and Chinese, as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# name -> words in both languages; a phrase may hold spaces; English plurals are found by the reader
SETTINGS: Mapping[str, str] = {
    "sea": "sea|ocean|beach|coast|shore|seaside|wave|surf|bay|harbour|harbor|island|seascape|tide|"
    "海|海洋|大海|海滩|沙滩|海边|海浪|波浪|海岸|海岛|岛|港口",
    "lake": "lake|river|pond|fjord|waterfall|stream|reflection|湖|湖泊|湖面|河|江|河流|池塘|瀑布|"
    "溪",
    "mountains": "mountain|peak|alps|alpine|summit|ridge|canyon|cliff|volcano|glacier|"
    "mountainscape|"
    "山|山脉|雪山|群山|高山|山峰|峡谷|火山|山水",
    "hills": "hill|countryside|valley|farm|field|landscape|village|pasture|prairie|nature|vineyard|"
    "丘陵|山坡|乡村|田野|农场|山谷|风景|村庄|草原|田园|自然",
    "forest": "forest|wood|woods|woodland|jungle|grove|pine|pines|taiga|rainforest|trees|park|"
    "森林|树林|丛林|松林|林间|林|公园|竹林",
    "city": "city|skyline|town|skyscraper|metropolis|downtown|urban|cityscape|street|tower|"
    "building|"
    "cyberpunk|tokyo|shanghai|paris|london|york|kong|"
    "城市|都市|天际线|街道|街|大楼|高楼|摩天楼|赛博朋克|上海|东京|香港|北京",
    "desert": "desert|dune|sahara|sand|oasis|沙漠|沙丘|戈壁|绿洲",
    "space": "space|galaxy|galaxies|nebula|cosmos|universe|planet|star|astronomy|orbit|"
    "cosmic|saturn|jupiter|太空|宇宙|银河|星系|星云|星球|行星|星空|土星|星星",
    "meadow": "meadow|flower|garden|blossom|bloom|poppy|tulip|daisy|sunflower|lavender field|"
    "rose garden|"
    "wildflower|spring|草地|草甸|花|花朵|鲜花|花园|花海|花田|郁金香|向日葵|罂粟|雏菊|春天|薰衣草田",
    "underwater": "underwater|reef|seabed|deep sea|aquarium|undersea|coral reef|diving|"
    "水下|海底|珊瑚|珊瑚礁|深海|水族馆|潜水",
    "room": "window|room|interior|indoors|kitchen|bedroom|study|library|cafe|windowsill|home|cosy|"
    "cozy|"
    "窗|窗边|窗户|窗台|窗前|房间|室内|卧室|书房|厨房|咖啡馆|图书馆|家里",
    "table": "still life|table|tabletop|desk|静物|桌子|桌上|桌面|餐桌",
    "studio": "studio|backdrop|plain background|product shot|纯色背景|影棚|摄影棚|工作室",
    "arctic": "arctic|antarctica|iceberg|polar|snowfield|tundra|iceland|norway|"
    "北极|南极|冰山|极地|雪原|冰原|冰岛",
}
SUBJECTS: Mapping[str, str] = {
    "cat": "cat|kitten|kitty|feline|tabby|猫|小猫|猫咪|喵",
    "fox": "fox|狐狸|小狐狸",
    "wolf": "wolf|wolves|husky|狼",
    "dog": "dog|puppy|hound|corgi|retriever|狗|小狗|犬|柯基",
    "owl": "owl|猫头鹰",
    "bird": "bird|robin|sparrow|parrot|songbird|hummingbird|鸟|小鸟|麻雀|鹦鹉",
    "flock": "seagull|gull|eagle|crane|flock|swallow|goose|geese|海鸥|鹰|老鹰|仙鹤|鹤|燕子|大雁|"
    "鸟群",
    "swan": "swan|duck|天鹅|鸭子|鸭",
    "fish": "fish|goldfish|koi|shark|tuna|鱼|金鱼|锦鲤|鲤鱼|鲨鱼",
    "whale": "whale|dolphin|orca|鲸|鲸鱼|海豚|虎鲸",
    "jellyfish": "jellyfish|medusa|水母",
    "turtle": "turtle|tortoise|海龟|乌龟|龟",
    "deer": "deer|stag|elk|reindeer|moose|antler|鹿|小鹿|麋鹿|驯鹿",
    "rabbit": "rabbit|bunny|hare|兔|兔子|小兔",
    "bear": "bear|grizzly|teddy|熊|小熊|棕熊",
    "panda": "panda|熊猫|大熊猫",
    "horse": "horse|pony|stallion|unicorn|马|骏马|独角兽",
    "elephant": "elephant|大象|象",
    "camel": "camel|caravan|骆驼",
    "penguin": "penguin|企鹅",
    "butterfly": "butterfly|butterflies|moth|蝴蝶",
    "lighthouse": "lighthouse|beacon|灯塔",
    "house": "house|cottage|cabin|hut|barn|chalet|farmhouse|房子|小屋|木屋|房屋|农舍|屋",
    "castle": "castle|fortress|palace|城堡|宫殿|堡垒",
    "pagoda": "pagoda|temple|shrine|torii|塔|宝塔|寺庙|寺|亭|亭子|神社|古塔",
    "windmill": "windmill|风车",
    "boat": "boat|sailboat|ship|yacht|sailing|canoe|vessel|sail|船|帆船|小船|轮船|游艇|渔船",
    "balloon": "balloon|hot air balloon|airship|热气球|气球",
    "rocket": "rocket|spaceship|spacecraft|shuttle|火箭|飞船|宇宙飞船",
    "train": "train|locomotive|railway|railroad|火车|列车|铁路|高铁",
    "car": "car|truck|van|automobile|taxi|jeep|汽车|轿车|卡车|车",
    "road": "road|highway|path|trail|lane|公路|道路|小路|马路|路",
    "bridge": "bridge|viaduct|桥|大桥|拱桥",
    "person": "person|man|woman|girl|boy|people|child|traveller|traveler|wanderer|hiker|dancer|"
    "king|"
    "queen|knight|wizard|samurai|monk|couple|figure|princess|"
    "人|人物|男人|女人|女孩|男孩|孩子|小孩|旅人|行人|少女|少年|舞者|武士",
    "portrait": "portrait|face|headshot|selfie|lady|bust|profile|avatar|肖像|人像|头像|脸|面孔",
    "robot": "robot|android|cyborg|mech|droid|机器人|机甲",
    "astronaut": "astronaut|cosmonaut|spaceman|宇航员|航天员|太空人",
    "teapot": "teapot|kettle|tea|茶壶|茶|水壶",
    "cup": "cup|mug|coffee|latte|espresso|杯子|杯|咖啡|茶杯",
    "fruit": "fruit|apple|orange fruit|pear|lemon|peaches|orange slice|citrus|cherry|cherries|"
    "grape|"
    "水果|苹果|梨|橙子|桔子|柠檬|桃子|樱桃|葡萄",
    "vase": "vase|bouquet|rose|peony|lily|orchid|花瓶|花束|玫瑰|牡丹|百合|兰花|荷花|莲花",
    "book": "book|reading|novel|书|读书|看书|书本|阅读",
    "lamp": "lamp|lantern|candle|candlelight|灯|台灯|灯笼|蜡烛|烛光",
    "tree": "tree|oak|maple|willow|birch|bonsai|apple tree|树|大树|枫树|柳树|橡树|盆景",
    "blossom": "sakura|cherry blossom|cherry tree|tree in blossom|blossoming tree|plum blossom|"
    "樱花|樱花树|梅花|桃花",
    "cactus": "cactus|cacti|succulent|仙人掌",
    "mushroom": "mushroom|toadstool|fungi|蘑菇",
    "moon": "moon|full moon|moonlight|moonlit|crescent|月亮|满月|月|月光|明月|月夜",
    "tent": "tent|camping|campfire|campsite|帐篷|露营|篝火",
}
TIMES: Mapping[str, str] = {
    "dawn": "dawn|sunrise|daybreak|early morning|morning|日出|黎明|清晨|早晨|早上|拂晓|晨",
    "day": "day|daylight|noon|midday|sunny|afternoon|sunlight|summer|白天|中午|正午|晴天|阳光|"
    "下午|夏天|夏日",
    "sunset": "sunset|golden hour|evening sun|sundown|日落|夕阳|黄昏|落日|晚霞|傍晚",
    "dusk": "dusk|twilight|blue hour|evening|nightfall|gloaming|暮色|薄暮|蓝调时刻|蓝调|黄昏后|"
    "夜幕",
    "night": "night|midnight|nighttime|starry|starlit|dark|夜|夜晚|夜里|午夜|深夜|星夜|夜空|夜景|"
    "黑夜|雨夜|雪夜|月夜",
}
WEATHERS: Mapping[str, str] = {
    "snow": "snow|snowy|snowfall|winter|snowing|blizzard|frost|frozen|christmas|icy|"
    "雪|下雪|雪景|大雪|冬天|冬季|冬日|雪地|雪中|雪夜|雪山",
    "rain": "rain|rainy|raining|drizzle|storm|stormy|thunderstorm|monsoon|雨|下雨|雨中|雨天|暴雨|"
    "雨夜|雷雨",
    "fog": "fog|foggy|mist|misty|haze|hazy|smoke|雾|薄雾|大雾|云雾|雾气|晨雾",
    "cloud": "cloud|cloudy|overcast|云|多云|云朵|云海",
    "aurora": "aurora|northern lights|aurora borealis|polar light|极光|北极光",
    "autumn": "autumn|fall foliage|autumnal|october|秋|秋天|秋季|秋日|红叶|枫叶",
    "rainbow": "rainbow|彩虹",
}
STYLES: Mapping[str, str] = {
    "watercolour": "watercolour|watercolor|aquarelle|gouache|wash|水彩|水彩画|水粉",
    "pixel": "pixel|pixel art|pixelart|pixelated|8 bit|8bit|16 bit|16bit|retro game|voxel|"
    "像素|像素画|像素风|像素艺术",
    "ink": "ink|line drawing|line art|lineart|drawing|pen and ink|etching|engraving|sketch|doodle|"
    "manga|sumi e|calligraphy|线描|线稿|墨水|水墨|水墨画|国画|钢笔画|素描线|简笔画",
    "neon": "neon|synthwave|vaporwave|glowing|cyberpunk|retrowave|tron|blacklight|"
    "霓虹|霓虹灯|赛博朋克|发光|蒸汽波",
    "lowpoly": "low poly|lowpoly|polygonal|polygon|faceted|origami|geometric style|低多边形|"
    "多边形|折纸",
    "oil": "oil|oil painting|impasto|impressionist|impressionism|van gogh|monet|painterly|acrylic|"
    "palette knife|expressionist|油画|印象派|厚涂|梵高|莫奈|丙烯",
    "print": "woodcut|linocut|lino|woodblock|block print|ukiyo e|screenprint|risograph|stamp|"
    "letterpress|木刻|版画|浮世绘|木版画|麻胶版画",
    "pencil": "pencil|pastel|crayon|chalk|charcoal|coloured pencil|colored pencil|graphite|"
    "铅笔|彩铅|粉彩|蜡笔|粉笔|素描|炭笔|铅笔画",
    "poster": "poster|flat|vector|minimalist|minimal|flat design|art deco|bauhaus|travel poster|"
    "illustration|海报|扁平|矢量|极简|扁平化|插画|简约",
    "photo": "photo|photograph|photography|photorealistic|realistic|cinematic|film|analog|analogue|"
    "hdr|bokeh|照片|摄影|写实|电影感|胶片|真实",
    "comic": "comic|pop art|halftone|cartoon|anime|warhol|lichtenstein|漫画|波普|卡通|动漫|动画",
    "mosaic": "mosaic|stained glass|tiles|cubist|cubism|马赛克|彩色玻璃|彩绘玻璃|立体主义",
    "dots": "dots|pointillism|pointillist|pointillistic|dotted|stipple|seurat|点彩|点画|点彩派",
}
ABSTRACTS: Mapping[str, str] = {
    "silk": "abstract|silk|fluid|marble|flow|swirl|smoke art|抽象|丝绸|流动|大理石",
    "threads": "thread|lines|string|flow field|generative|线条|生成艺术",
    "circles": "circle|circles|kandinsky|suprematist|suprematism|composition|圆|圆形|几何",
    "tiles": "pattern|geometric|quilt|grid|图案|网格",
    "paper": "paper cut|papercut|layered paper|paper art|剪纸|纸艺",
    "contours": "contour|topographic|topography|map|等高线|地图",
    "crystal": "crystal|shard|prism|gem|水晶|宝石|晶体",
}
COLOURS: Mapping[str, str] = {
    "red": "red|scarlet|ruby|vermilion|红|红色|赤",
    "orange": "orange|橙|橙色|橘色|橘",
    "yellow": "yellow|黄|黄色",
    "gold": "gold|golden|金|金色",
    "green": "green|绿|绿色|青绿",
    "lime": "lime|chartreuse|黄绿",
    "olive": "olive|橄榄绿|橄榄色",
    "teal": "teal|petrol|青|青色|蓝绿|蓝绿色|鸭绿",
    "turquoise": "turquoise|aqua|aquamarine|绿松石色",
    "cyan": "cyan|青蓝|湖蓝",
    "blue": "blue|azure|cobalt|蓝|蓝色|天蓝",
    "navy": "navy|深蓝|藏青",
    "indigo": "indigo|靛|靛蓝|靛青",
    "violet": "violet|紫罗兰",
    "purple": "purple|plum|mauve|紫|紫色",
    "magenta": "magenta|fuchsia|品红|洋红",
    "pink": "pink|粉|粉色|粉红|粉红色",
    "rose": "rose coloured|dusty rose|玫瑰色|玫红",
    "coral": "coral|salmon|珊瑚色",
    "brown": "brown|chocolate|棕|棕色|褐色|咖啡色",
    "beige": "beige|tan|米色",
    "cream": "cream|ivory|奶油色|象牙色",
    "white": "white|白|白色",
    "grey": "grey|gray|灰|灰色",
    "silver": "silver|银|银色",
    "black": "black|黑|黑色",
    "emerald": "emerald|jade|翠绿|翡翠|碧绿",
    "crimson": "crimson|burgundy|maroon|深红|绯红",
    "lavender": "lavender|lilac|淡紫|薰衣草|薰衣草色",
    "peach": "peach|apricot|桃色|杏色",
    "mint": "mint|薄荷|薄荷绿",
    "amber": "amber|ochre|琥珀|琥珀色|赭石",
    "sepia": "sepia|vintage|复古|怀旧|棕褐",
    "mono": "monochrome|black and white|greyscale|grayscale|b w|noir|黑白|单色|灰度",
}
CHANGES: Mapping[str, str] = {
    "background": "background|backdrop|behind|背景|背后",
    "blur": "blur|blurred|blurry|soft focus|模糊|虚化",
    "brighter": "brighter|bright|lighter|lighten|更亮|亮一点|明亮|提亮",
    "darker": "darker|darken|dim|moody|更暗|暗一点|变暗|暗",
    "frame": "frame|framed|border|matted|相框|画框|边框",
    "contrast": "contrast|dramatic|punchy|对比|对比度|强烈",
    "soft": "softer|soft|muted|faded|柔和|淡",
    "warm": "warm|warmer|cosy|暖|温暖|暖色",
    "cold": "cold|colder|cool|cooler|冷|冷色",
    "clean": "clean|simple|plain|干净|纯色",
    "remove": "remove|erase|cut out|cutout|去掉|去除|移除|抠图",
}
# Colour words that are part of another word's name, so that they grade nothing.
FIXED: tuple[str, ...] = (
    "blue hour",
    "golden hour",
    "goldfish",
    "black hole",
    "orange juice",
    "green tea",
    "white house",
    "金鱼",
    "红茶",
    "绿茶",
    "greenhouse",
    "blackboard",
    "黄昏",
    "银河",
    "青蛙",
)
