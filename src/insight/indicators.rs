//! What targets are set for: every indicator of the policy papers, with the unit it is counted in.
use crate::codes;

codes! {
    /// An indicator of the policy papers; a target keeps the wording of its own paper beside it.
    pub enum Indicator {
        Turnover = "turnover" "技术合同成交额" "Turnover of technology contracts",
        AchievementsTransferred = "achievements_transferred" "转移转化科技成果" "Achievements transferred",
        Brokers = "brokers" "技术经纪人" "Technology brokers",
        Agencies = "agencies" "技术转移示范机构" "Technology transfer agencies",
        Alliances = "alliances" "产业技术创新联盟" "Industrial innovation alliances",
        Fairs = "fairs" "产学研对接活动" "Matchmaking fairs",
        RdInputMultiple = "rd_input_multiple" "全社会研发投入总额倍数" "R&D input as a multiple",
        PatentsPer10k = "patents_per_10k" "每万人发明专利拥有量" "Invention patents per 10,000 people",
        NationalFirsts = "national_firsts" "“中国第一”技术和产品" "Technologies and products first in China",
        StrategicRevenueShare = "strategic_revenue_share" "战新产业主营业务收入占规上工业比重" "Strategic industries' share of industrial revenue",
        InnovationPlatforms = "innovation_platforms" "产业技术创新平台" "Industrial innovation platforms",
        KeyProjects = "key_projects" "关键共性技术攻关和重大产学研项目" "Key common technologies and joint projects",
        AgriProgressRate = "agri_progress_rate" "农业科技进步贡献率" "Contribution of science to agriculture",
        AgriConversionRate = "agri_conversion_rate" "重要农业科技成果转化率" "Conversion rate of agricultural achievements",
        CropVarieties = "crop_varieties" "农作物优良新品种" "New crop varieties",
        AgriKeyTechnologies = "agri_key_technologies" "农业重大关键技术" "Key agricultural technologies",
        InstrumentServices = "instrument_services" "大型仪器共享服务" "Shared services of large instruments",
        ServiceFirms = "service_firms" "科技服务骨干企业和机构" "Leading science service firms",
        MedicalCentres = "medical_centres" "转化医学研究中心" "Translational medicine centres",
        MedicalCentresAdvanced = "medical_centres_advanced" "转化医学研究中心（国内先进）" "Translational medicine centres, nationally advanced",
        ScienceBases = "science_bases" "新认定省级科普基地" "Newly named science education bases",
        ScientificLiteracy = "scientific_literacy" "公民具备基本科学素质比例" "Citizens with basic scientific literacy",
        DandongProjects = "dandong_projects" "丹东中心入驻重大高科技项目" "High-tech projects in the Dandong centre",
        AlliancePilots = "alliance_pilots" "省级产业技术创新联盟试点" "Provincial alliance pilots",
        UniversityParks = "university_parks" "省级及以上大学科技园" "University science parks",
        TransferCentres = "transfer_centres" "省级及以上技术转移中心" "Technology transfer centres",
        OutstandingTalents = "outstanding_talents" "科技创新杰出人才" "Outstanding innovators",
        LeadingInnovators = "leading_innovators" "科技创新领军人才" "Leading innovators",
        LeadingFounders = "leading_founders" "科技创业领军人才" "Leading founders",
        YoungTalents = "young_talents" "青年科技创新创业人才" "Young innovators and founders",
        StartupLectures = "startup_lectures" "创业大讲堂" "Start-up lectures",
        StartupMentors = "startup_mentors" "创业导师" "Start-up mentors",
        StudentFounders = "student_founders" "大学生创业" "Student founders",
        HighTechGrowth = "high_tech_growth" "高新技术产品增加值年均增速" "Yearly growth of high-tech value added",
        StrategicGdpShare = "strategic_gdp_share" "战新产业增加值占地区生产总值比重" "Strategic industries' share of GDP",
        RdGdpShare = "rd_gdp_share" "研发投入占地区生产总值比重" "R&D share of GDP",
        ProgressRate = "progress_rate" "科技进步贡献率" "Contribution of science and technology",
        CoreTechnologies = "core_technologies" "关键核心技术和重大创新产品" "Core technologies and major new products",
        RdInstitutions = "rd_institutions" "省级以上研发机构" "R&D institutions of provincial rank",
        GazellesUnicorns = "gazelles_unicorns" "瞪羚独角兽企业" "Gazelle and unicorn firms",
        HighTechFirms = "high_tech_firms" "高新技术企业" "High-tech firms",
        TechSmes = "tech_smes" "科技型中小企业" "Technology SMEs",
        NewRdInstitutions = "new_rd_institutions" "新型研发机构" "New-type R&D institutions",
        PlatformFirms = "platform_firms" "平台型大企业" "Large platform firms",
        OffshoreCentres = "offshore_centres" "离岸和域外创新中心" "Offshore innovation centres",
        InnovationChains = "innovation_chains" "创新链" "Innovation chains",
        InnovativeClusters = "innovative_clusters" "高新区创新型产业集群" "Innovative clusters",
        HighTechValueAdded = "high_tech_value_added" "高新技术产品增加值" "High-tech value added",
        TechSmesPer10k = "tech_smes_per_10k" "每万家企业法人中科技型中小企业" "Technology SMEs per 10,000 firms",
        Eaglets = "eaglets" "雏鹰企业" "Eaglet firms",
        Gazelles = "gazelles" "瞪羚企业" "Gazelle firms",
        SubstantiveAlliances = "substantive_alliances" "实质性产学研联盟" "Substantive industry-university alliances",
        ChallengeProjectsTotal = "challenge_projects_total" "揭榜挂帅、带土移植等攻关项目" "Challenge and transplant projects",
        NationalZones = "national_zones" "国家级高新区" "National high-tech zones",
        ProvincialParks = "provincial_parks" "省级科技园区" "Provincial science parks",
        ServicePlatforms = "service_platforms" "科技创新服务平台" "Innovation service platforms",
        FlexibleTalents = "flexible_talents" "柔性引进高层次创新人才" "High-level talents on flexible terms",
        SkilledTalents = "skilled_talents" "技能型人才" "Skilled workers",
        RuralTalents = "rural_talents" "农村实用人才" "Practical talents in the country",
        NewTechSmes = "new_tech_smes" "新增科技型中小企业" "New technology SMEs",
        NewHighTechFirms = "new_high_tech_firms" "新增高新技术企业" "New high-tech firms",
        NewEaglets = "new_eaglets" "新增雏鹰企业" "New eaglet firms",
        NewGazelles = "new_gazelles" "新增瞪羚企业" "New gazelle firms",
        AttractedFirms = "attracted_firms" "引进科技企业（项目）" "Technology firms or projects attracted",
        NewSubstantiveAlliances = "new_substantive_alliances" "组建实质性产学研联盟" "New substantive alliances",
        Challenges = "challenges" "揭榜挂帅项目" "Challenge projects",
        Transplants = "transplants" "带土移植项目" "Transplant projects",
        CountyFairs = "county_fairs" "县（市）区小规模对接活动（每县）" "Small fairs per county",
        PointFairs = "point_fairs" "点对点对接活动" "Point-to-point meetings",
        FirmPlatforms = "firm_platforms" "企业创新平台" "Innovation platforms of firms",
        LoanGuarantees = "loan_guarantees" "科技企业融资担保额度" "Loan guarantees for technology firms",
        ProjectStore = "project_store" "高校院所成果转化项目库入库" "Projects in the transfer store",
        NewAlliances = "new_alliances" "新组建联盟" "New alliances",
        NewAgencies = "new_agencies" "新增市级技术转移示范机构" "New demonstration agencies",
        NewBrokers = "new_brokers" "新增技术经纪人" "New brokers",
        HighTechNursery = "high_tech_nursery" "高新技术企业入库" "High-tech firms in the nursery",
        SmallGiantNursery = "small_giant_nursery" "科技小巨人入库" "Small giants in the nursery",
        GazelleNursery = "gazelle_nursery" "瞪羚企业入库" "Gazelles in the nursery",
        FinanceFirms = "finance_firms" "科技金融重点企业" "Key firms of technology finance",
        SpecialEnvoys = "special_envoys" "科技特派员" "Technology envoys",
        RightsReformPilots = "rights_reform_pilots" "三权改革试点单位" "Pilot units of the rights reform",
        HighTechOutputShare = "high_tech_output_share" "高新技术产品产值占规上工业比重" "High-tech share of industrial output",
        Incubators = "incubators" "众创空间和孵化器" "Maker spaces and incubators",
        IncubationArea = "incubation_area" "孵化面积" "Incubation area",
        IncubatedFirms = "incubated_firms" "在孵企业" "Firms in incubation",
        TurnoverGdpShare = "turnover_gdp_share" "技术合同成交额占地区生产总值比重" "Turnover as a share of GDP",
        Gdp = "gdp" "地区生产总值" "GDP",
        RdInput = "rd_input" "全社会研发投入" "R&D input",
        StrategicValueAdded = "strategic_value_added" "战新产业增加值" "Value added of strategic industries",
        Firms = "firms" "企业法人单位" "Firms with legal personality",
    }
}

impl Indicator {
    /// `fen` for money, otherwise the Chinese unit of the papers.
    pub fn unit(self) -> &'static str {
        match self {
            Self::ServiceFirms
            | Self::ScienceBases
            | Self::AlliancePilots
            | Self::RdInstitutions
            | Self::GazellesUnicorns
            | Self::HighTechFirms
            | Self::TechSmes
            | Self::NewRdInstitutions
            | Self::PlatformFirms
            | Self::TechSmesPer10k
            | Self::Eaglets
            | Self::Gazelles
            | Self::NewTechSmes
            | Self::NewHighTechFirms
            | Self::NewEaglets
            | Self::NewGazelles
            | Self::Alliances
            | Self::NewAlliances
            | Self::Agencies
            | Self::NewAgencies
            | Self::HighTechNursery
            | Self::SmallGiantNursery
            | Self::GazelleNursery
            | Self::FinanceFirms
            | Self::RightsReformPilots
            | Self::Incubators
            | Self::IncubatedFirms
            | Self::Firms => "家",
            Self::NationalFirsts
            | Self::InnovationPlatforms
            | Self::CropVarieties
            | Self::MedicalCentres
            | Self::MedicalCentresAdvanced
            | Self::DandongProjects
            | Self::UniversityParks
            | Self::TransferCentres
            | Self::CoreTechnologies
            | Self::OffshoreCentres
            | Self::InnovationChains
            | Self::InnovativeClusters
            | Self::SubstantiveAlliances
            | Self::NationalZones
            | Self::ProvincialParks
            | Self::ServicePlatforms
            | Self::AttractedFirms
            | Self::NewSubstantiveAlliances
            | Self::Challenges
            | Self::Transplants
            | Self::FirmPlatforms => "个",
            Self::StrategicRevenueShare
            | Self::AgriProgressRate
            | Self::AgriConversionRate
            | Self::ScientificLiteracy
            | Self::HighTechGrowth
            | Self::StrategicGdpShare
            | Self::RdGdpShare
            | Self::ProgressRate
            | Self::HighTechOutputShare
            | Self::TurnoverGdpShare => "%",
            Self::OutstandingTalents
            | Self::LeadingInnovators
            | Self::LeadingFounders
            | Self::YoungTalents
            | Self::SkilledTalents
            | Self::RuralTalents => "人",
            Self::KeyProjects
            | Self::AgriKeyTechnologies
            | Self::AchievementsTransferred
            | Self::ChallengeProjectsTotal
            | Self::ProjectStore => "项",
            Self::StartupMentors
            | Self::StudentFounders
            | Self::Brokers
            | Self::NewBrokers
            | Self::SpecialEnvoys => "名",
            Self::InstrumentServices | Self::Fairs | Self::CountyFairs | Self::PointFairs => "次",
            Self::Turnover
            | Self::HighTechValueAdded
            | Self::LoanGuarantees
            | Self::Gdp
            | Self::RdInput
            | Self::StrategicValueAdded => "fen",
            Self::RdInputMultiple => "倍",
            Self::PatentsPer10k => "件",
            Self::StartupLectures => "场",
            Self::FlexibleTalents => "人次",
            Self::IncubationArea => "万平方米",
        }
    }

    /// The indicators that say what is added to this one, which is a stock; `Part` where they say so of
    /// a part of it only.
    pub fn additions(self) -> &'static [(Self, Scope)] {
        use Scope::{Part, Whole};
        match self {
            Self::HighTechFirms => &[(Self::NewHighTechFirms, Whole)],
            Self::TechSmes => &[(Self::NewTechSmes, Whole)],
            Self::Eaglets => &[(Self::NewEaglets, Whole)],
            Self::Gazelles => &[(Self::NewGazelles, Whole)],
            Self::SubstantiveAlliances => &[(Self::NewSubstantiveAlliances, Whole)],
            Self::Alliances => &[(Self::NewAlliances, Whole)],
            Self::Agencies => &[(Self::NewAgencies, Whole)],
            Self::Brokers => &[(Self::NewBrokers, Whole)],
            Self::ServicePlatforms => &[(Self::FirmPlatforms, Part)],
            _ => &[],
        }
    }

    /// The indicators that this one is the sum of.
    pub fn parts(self) -> &'static [Self] {
        match self {
            Self::ChallengeProjectsTotal => &[Self::Challenges, Self::Transplants],
            _ => &[],
        }
    }

    /// The indicator that counts everything that this one counts, and more.
    pub fn whole(self) -> Option<Self> {
        (self == Self::MedicalCentresAdvanced).then_some(Self::MedicalCentres)
    }

    /// What a ratio divides, and by what.
    pub fn quotient(self) -> Option<Quotient> {
        let of = |part, whole, per| Some(Quotient { part, whole, per });
        match self {
            Self::TurnoverGdpShare => of(Self::Turnover, Self::Gdp, 100),
            Self::RdGdpShare => of(Self::RdInput, Self::Gdp, 100),
            Self::StrategicGdpShare => of(Self::StrategicValueAdded, Self::Gdp, 100),
            Self::TechSmesPer10k => of(Self::TechSmes, Self::Firms, 10_000),
            _ => None,
        }
    }

    /// What the market counts by itself; everything else is entered by hand.
    pub fn counted(self) -> Option<Counted> {
        match self {
            Self::Turnover => Some(Counted::Turnover),
            Self::AchievementsTransferred => Some(Counted::Achievements),
            Self::Brokers => Some(Counted::Brokers),
            Self::NewBrokers => Some(Counted::NewBrokers),
            Self::Agencies => Some(Counted::Agencies),
            Self::NewAgencies => Some(Counted::NewAgencies { of_cities: true }),
            _ => None,
        }
    }
}

/// Whether additions are told of the whole of a stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Whole,
    Part,
}

/// `part / whole × per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotient {
    pub part: Indicator,
    pub whole: Indicator,
    pub per: i64,
}

/// What the market counts by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    Turnover,
    Achievements,
    Brokers,
    NewBrokers,
    Agencies,
    /// First recognitions; `of_cities` leaves out those by nation and province.
    NewAgencies {
        of_cities: bool,
    },
}
