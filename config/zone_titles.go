package config

// zoneTitle is a Windows zone as people see it in the portal and in Windows: "(UTC+01:00) Amsterdam, …".
type zoneTitle struct{ zone, offset, places string }

// zoneTitles returns the titles of all zones that Windows lists, from west to east.
func zoneTitles() []zoneTitle {
	return []zoneTitle{
		{"Dateline Standard Time", "-12:00", "International Date Line West"},
		{"UTC-11", "-11:00", "Coordinated Universal Time-11"},
		{"Aleutian Standard Time", "-10:00", "Aleutian Islands"},
		{"Hawaiian Standard Time", "-10:00", "Hawaii"},
		{"Marquesas Standard Time", "-09:30", "Marquesas Islands"},
		{"Alaskan Standard Time", "-09:00", "Alaska"},
		{"UTC-09", "-09:00", "Coordinated Universal Time-09"},
		{"Pacific Standard Time (Mexico)", "-08:00", "Baja California"},
		{"UTC-08", "-08:00", "Coordinated Universal Time-08"},
		{"Pacific Standard Time", "-08:00", "Pacific Time (US & Canada)"},
		{"US Mountain Standard Time", "-07:00", "Arizona"},
		{"Mountain Standard Time (Mexico)", "-07:00", "Chihuahua, La Paz, Mazatlan"},
		{"Mountain Standard Time", "-07:00", "Mountain Time (US & Canada)"},
		{"Yukon Standard Time", "-07:00", "Yukon"},
		{"Central America Standard Time", "-06:00", "Central America"},
		{"Central Standard Time", "-06:00", "Central Time (US & Canada)"},
		{"Easter Island Standard Time", "-06:00", "Easter Island"},
		{"Central Standard Time (Mexico)", "-06:00", "Guadalajara, Mexico City, Monterrey"},
		{"Canada Central Standard Time", "-06:00", "Saskatchewan"},
		{"SA Pacific Standard Time", "-05:00", "Bogota, Lima, Quito, Rio Branco"},
		{"Eastern Standard Time (Mexico)", "-05:00", "Chetumal"},
		{"Eastern Standard Time", "-05:00", "Eastern Time (US & Canada)"},
		{"Haiti Standard Time", "-05:00", "Haiti"},
		{"Cuba Standard Time", "-05:00", "Havana"},
		{"US Eastern Standard Time", "-05:00", "Indiana (East)"},
		{"Turks And Caicos Standard Time", "-05:00", "Turks and Caicos"},
		{"Paraguay Standard Time", "-04:00", "Asuncion"},
		{"Atlantic Standard Time", "-04:00", "Atlantic Time (Canada)"},
		{"Venezuela Standard Time", "-04:00", "Caracas"},
		{"Central Brazilian Standard Time", "-04:00", "Cuiaba"},
		{"SA Western Standard Time", "-04:00", "Georgetown, La Paz, Manaus, San Juan"},
		{"Pacific SA Standard Time", "-04:00", "Santiago"},
		{"Newfoundland Standard Time", "-03:30", "Newfoundland"},
		{"Tocantins Standard Time", "-03:00", "Araguaina"},
		{"E. South America Standard Time", "-03:00", "Brasilia"},
		{"SA Eastern Standard Time", "-03:00", "Cayenne, Fortaleza"},
		{"Argentina Standard Time", "-03:00", "City of Buenos Aires"},
		{"Greenland Standard Time", "-02:00", "Greenland"},
		{"Montevideo Standard Time", "-03:00", "Montevideo"},
		{"Magallanes Standard Time", "-03:00", "Punta Arenas"},
		{"Saint Pierre Standard Time", "-03:00", "Saint Pierre and Miquelon"},
		{"Bahia Standard Time", "-03:00", "Salvador"},
		{"UTC-02", "-02:00", "Coordinated Universal Time-02"},
		{"Mid-Atlantic Standard Time", "-02:00", "Mid-Atlantic - Old"},
		{"Azores Standard Time", "-01:00", "Azores"},
		{"Cape Verde Standard Time", "-01:00", "Cabo Verde Is."},
		{"UTC", "+00:00", "Coordinated Universal Time"},
		{"GMT Standard Time", "+00:00", "Dublin, Edinburgh, Lisbon, London"},
		{"Greenwich Standard Time", "+00:00", "Monrovia, Reykjavik"},
		{"Sao Tome Standard Time", "+00:00", "Sao Tome"},
		{"Morocco Standard Time", "+01:00", "Casablanca"},
		{"W. Europe Standard Time", "+01:00", "Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna"},
		{"Central Europe Standard Time", "+01:00", "Belgrade, Bratislava, Budapest, Ljubljana, Prague"},
		{"Romance Standard Time", "+01:00", "Brussels, Copenhagen, Madrid, Paris"},
		{"Central European Standard Time", "+01:00", "Sarajevo, Skopje, Warsaw, Zagreb"},
		{"W. Central Africa Standard Time", "+01:00", "West Central Africa"},
		{"Jordan Standard Time", "+03:00", "Amman"},
		{"GTB Standard Time", "+02:00", "Athens, Bucharest"},
		{"Middle East Standard Time", "+02:00", "Beirut"},
		{"Egypt Standard Time", "+02:00", "Cairo"},
		{"E. Europe Standard Time", "+02:00", "Chisinau"},
		{"Syria Standard Time", "+03:00", "Damascus"},
		{"West Bank Standard Time", "+02:00", "Gaza, Hebron"},
		{"South Africa Standard Time", "+02:00", "Harare, Pretoria"},
		{"FLE Standard Time", "+02:00", "Helsinki, Kyiv, Riga, Sofia, Tallinn, Vilnius"},
		{"Israel Standard Time", "+02:00", "Jerusalem"},
		{"South Sudan Standard Time", "+02:00", "Juba"},
		{"Kaliningrad Standard Time", "+02:00", "Kaliningrad"},
		{"Sudan Standard Time", "+02:00", "Khartoum"},
		{"Libya Standard Time", "+02:00", "Tripoli"},
		{"Namibia Standard Time", "+02:00", "Windhoek"},
		{"Arabic Standard Time", "+03:00", "Baghdad"},
		{"Turkey Standard Time", "+03:00", "Istanbul"},
		{"Arab Standard Time", "+03:00", "Kuwait, Riyadh"},
		{"Belarus Standard Time", "+03:00", "Minsk"},
		{"Russian Standard Time", "+03:00", "Moscow, St. Petersburg"},
		{"E. Africa Standard Time", "+03:00", "Nairobi"},
		{"Volgograd Standard Time", "+03:00", "Volgograd"},
		{"Iran Standard Time", "+03:30", "Tehran"},
		{"Arabian Standard Time", "+04:00", "Abu Dhabi, Muscat"},
		{"Astrakhan Standard Time", "+04:00", "Astrakhan, Ulyanovsk"},
		{"Azerbaijan Standard Time", "+04:00", "Baku"},
		{"Russia Time Zone 3", "+04:00", "Izhevsk, Samara"},
		{"Mauritius Standard Time", "+04:00", "Port Louis"},
		{"Saratov Standard Time", "+04:00", "Saratov"},
		{"Georgian Standard Time", "+04:00", "Tbilisi"},
		{"Caucasus Standard Time", "+04:00", "Yerevan"},
		{"Afghanistan Standard Time", "+04:30", "Kabul"},
		{"West Asia Standard Time", "+05:00", "Ashgabat, Tashkent"},
		{"Qyzylorda Standard Time", "+05:00", "Astana, Qyzylorda"},
		{"Ekaterinburg Standard Time", "+05:00", "Ekaterinburg"},
		{"Pakistan Standard Time", "+05:00", "Islamabad, Karachi"},
		{"India Standard Time", "+05:30", "Chennai, Kolkata, Mumbai, New Delhi"},
		{"Sri Lanka Standard Time", "+05:30", "Sri Jayawardenepura"},
		{"Nepal Standard Time", "+05:45", "Kathmandu"},
		{"Central Asia Standard Time", "+06:00", "Bishkek"},
		{"Bangladesh Standard Time", "+06:00", "Dhaka"},
		{"Omsk Standard Time", "+06:00", "Omsk"},
		{"Myanmar Standard Time", "+06:30", "Yangon (Rangoon)"},
		{"SE Asia Standard Time", "+07:00", "Bangkok, Hanoi, Jakarta"},
		{"Altai Standard Time", "+07:00", "Barnaul, Gorno-Altaysk"},
		{"W. Mongolia Standard Time", "+07:00", "Hovd"},
		{"North Asia Standard Time", "+07:00", "Krasnoyarsk"},
		{"N. Central Asia Standard Time", "+07:00", "Novosibirsk"},
		{"Tomsk Standard Time", "+07:00", "Tomsk"},
		{"China Standard Time", "+08:00", "Beijing, Chongqing, Hong Kong, Urumqi"},
		{"North Asia East Standard Time", "+08:00", "Irkutsk"},
		{"Singapore Standard Time", "+08:00", "Kuala Lumpur, Singapore"},
		{"W. Australia Standard Time", "+08:00", "Perth"},
		{"Taipei Standard Time", "+08:00", "Taipei"},
		{"Ulaanbaatar Standard Time", "+08:00", "Ulaanbaatar"},
		{"Aus Central W. Standard Time", "+08:45", "Eucla"},
		{"Transbaikal Standard Time", "+09:00", "Chita"},
		{"Tokyo Standard Time", "+09:00", "Osaka, Sapporo, Tokyo"},
		{"North Korea Standard Time", "+09:00", "Pyongyang"},
		{"Korea Standard Time", "+09:00", "Seoul"},
		{"Yakutsk Standard Time", "+09:00", "Yakutsk"},
		{"Cen. Australia Standard Time", "+09:30", "Adelaide"},
		{"AUS Central Standard Time", "+09:30", "Darwin"},
		{"E. Australia Standard Time", "+10:00", "Brisbane"},
		{"AUS Eastern Standard Time", "+10:00", "Canberra, Melbourne, Sydney"},
		{"West Pacific Standard Time", "+10:00", "Guam, Port Moresby"},
		{"Tasmania Standard Time", "+10:00", "Hobart"},
		{"Vladivostok Standard Time", "+10:00", "Vladivostok"},
		{"Lord Howe Standard Time", "+10:30", "Lord Howe Island"},
		{"Bougainville Standard Time", "+11:00", "Bougainville Island"},
		{"Russia Time Zone 10", "+11:00", "Chokurdakh"},
		{"Magadan Standard Time", "+11:00", "Magadan"},
		{"Norfolk Standard Time", "+11:00", "Norfolk Island"},
		{"Sakhalin Standard Time", "+11:00", "Sakhalin"},
		{"Central Pacific Standard Time", "+11:00", "Solomon Is., New Caledonia"},
		{"Russia Time Zone 11", "+12:00", "Anadyr, Petropavlovsk-Kamchatsky"},
		{"New Zealand Standard Time", "+12:00", "Auckland, Wellington"},
		{"UTC+12", "+12:00", "Coordinated Universal Time+12"},
		{"Fiji Standard Time", "+12:00", "Fiji"},
		{"Kamchatka Standard Time", "+12:00", "Petropavlovsk-Kamchatsky - Old"},
		{"Chatham Islands Standard Time", "+12:45", "Chatham Islands"},
		{"UTC+13", "+13:00", "Coordinated Universal Time+13"},
		{"Tonga Standard Time", "+13:00", "Nuku'alofa"},
		{"Samoa Standard Time", "+13:00", "Samoa"},
		{"Line Islands Standard Time", "+14:00", "Kiritimati Island"},
	}
}

// zoneAbbreviations returns the zones behind short and English names such as CET. Several zones keep the
// same time under one such name.
func zoneAbbreviations() map[string][]string {
	all := map[string][]string{}
	add := func(zones []string, names ...string) {
		for _, n := range names {
			all[n] = zones
		}
	}
	add([]string{"UTC"}, "UCT", "Z", "ZULU", "UNIVERSAL", "UTC+0", "UTC+00:00", "UTC0", "GMT0", "GMT+0", "GMT-0", "ETC/GMT")
	add([]string{"GMT Standard Time", "UTC"}, "GMT", "GREENWICH", "GREENWICH MEAN TIME")
	add([]string{"GMT Standard Time"}, "BST", "WET", "WEST", "BRITISH SUMMER TIME")
	add([]string{"W. Europe Standard Time", "Central Europe Standard Time", "Central European Standard Time", "Romance Standard Time"}, "CET", "CEST", "MET", "MEST", "MEZ", "MESZ", "CENTRAL EUROPEAN TIME", "CENTRAL EUROPEAN SUMMER TIME")
	add([]string{"FLE Standard Time", "GTB Standard Time", "E. Europe Standard Time"}, "EET", "EEST", "EASTERN EUROPEAN TIME")
	add([]string{"Russian Standard Time"}, "MSK")
	add([]string{"Turkey Standard Time"}, "TRT")
	add([]string{"Eastern Standard Time"}, "EST", "EDT", "ET", "EST5EDT")
	add([]string{"Central Standard Time"}, "CST", "CDT", "CT", "CST6CDT")
	add([]string{"Mountain Standard Time", "US Mountain Standard Time"}, "MST", "MDT", "MT", "MST7MDT")
	add([]string{"Pacific Standard Time"}, "PST", "PDT", "PT", "PST8PDT")
	add([]string{"Alaskan Standard Time"}, "AKST", "AKDT")
	add([]string{"Hawaiian Standard Time"}, "HST")
	add([]string{"Atlantic Standard Time"}, "AST", "ADT")
	add([]string{"Newfoundland Standard Time"}, "NST", "NDT")
	add([]string{"E. South America Standard Time"}, "BRT")
	add([]string{"Argentina Standard Time"}, "ART")
	add([]string{"India Standard Time", "Israel Standard Time", "GMT Standard Time"}, "IST")
	add([]string{"Arabian Standard Time"}, "GST")
	add([]string{"Pakistan Standard Time"}, "PKT")
	add([]string{"China Standard Time"}, "HKT", "PRC")
	add([]string{"Singapore Standard Time"}, "SGT", "MYT")
	add([]string{"Tokyo Standard Time"}, "JST")
	add([]string{"Korea Standard Time"}, "KST", "ROK")
	add([]string{"Taipei Standard Time"}, "ROC")
	add([]string{"AUS Eastern Standard Time", "E. Australia Standard Time"}, "AEST", "AEDT")
	add([]string{"Cen. Australia Standard Time", "AUS Central Standard Time"}, "ACST", "ACDT")
	add([]string{"W. Australia Standard Time"}, "AWST")
	add([]string{"New Zealand Standard Time"}, "NZST", "NZDT", "NZ")
	add([]string{"South Africa Standard Time"}, "SAST", "CAT")
	add([]string{"E. Africa Standard Time"}, "EAT")
	add([]string{"W. Central Africa Standard Time"}, "WAT")
	return all
}
