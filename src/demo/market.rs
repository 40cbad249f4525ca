//! Loading: organizations and people, listings, contracts, targets; then the index and the cross-match.
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

use super::{
    contracts::{Sketch, of_year},
    text::{DemoAchievement, DemoDemand, DemoOrganization, Texts, home},
    variation::{self, Dice},
    write_private,
};
use crate::{
    Keshi, accounts,
    accounts::{
        NewAccount,
        credentials::Hasher,
        model::{
            BrokerLevel, BrokerState, Organization, OrganizationState,
            inputs::{BrokerInput, NewOrganization},
        },
    },
    achievements::{self, model::AchievementDraft},
    contracts::{
        self,
        model::{
            ContractLine, ContractParty, CrossBorder, LineKind, Objective, Parties, PartyType,
            Payment, PlanSource, Subcategory, Terms,
        },
        service::NewRegistered,
    },
    demands::{
        self,
        model::{DemandDraft, Visibility},
    },
    discovery, insight,
    kernel::{
        Code, Config, Day, Db, Fen, Id, Lang, MemberRole, Moment, OrganizationKind, PlatformRole,
        Result, Tx, journal, money::FEN_PER_WAN, of, secret,
    },
    markets::{
        listing::Keyword,
        model::{Field, IpKind},
        regions,
    },
    notices,
    worker::Consumers,
};

/// Rows written in one transaction.
const CHUNK: usize = 500;

/// Where the logins of the demo are kept, readable by the owner of the folder alone.
const LOGINS: &str = "demo-logins.txt";

/// Years whose true turnover the contracts add up to.
const YEARS: std::ops::RangeInclusive<i64> = 2015..=2023;

/// Loads the market into the data folder unless it is there, and answers what a visitor should know.
pub fn load(config: &Config, from: Option<&Path>) -> anyhow::Result<String> {
    let logins = config.data_dir.join(LOGINS);
    if logins.exists() {
        let text = std::fs::read_to_string(&logins)
            .with_context(|| format!("reading {}", logins.display()))?;
        return Ok(format!("演示数据已在 {}，沿用。\n{text}", config.data_dir.display()));
    }
    let started = Instant::now();
    let keshi = Keshi::open(config.clone())?;
    if !keshi.db.read_now(accounts::is_empty)? {
        anyhow::bail!(
            "the database is not empty and holds no finished demo: name a fresh folder with KESHI_DATA_DIR, or remove {}",
            config.data_dir.display()
        );
    }
    let texts = match from {
        Some(folder) => Texts::from_folder(folder)?,
        None => {
            let mut texts = Texts::shipped()?;
            variation::to_full_size(&mut texts)?;
            texts
        }
    };
    let password = secret::token()?.chars().take(16).collect::<String>();
    let mut loader = Loader::new(&keshi, &texts, &password)?;
    loader.people()?;
    loader.listings()?;
    loader.registered()?;
    loader.targets()?;
    loader.settle()?;
    let mut summary = loader.summary(started.elapsed())?;
    summary.push_str(&loader.logins());
    // the file says that the market is complete: it is written last
    write_private(&logins, &loader.logins())?;
    Ok(summary)
}

struct Loader<'t> {
    keshi: &'t Keshi,
    texts: &'t Texts,
    password: &'t str,
    hash: String,
    today: Day,
    dice: Dice,
    bar: ProgressBar,
    /// By the key of the text, with the account that speaks for it.
    owners: BTreeMap<String, (Organization, Id<of::Account>)>,
    achievements: BTreeMap<String, String>,
    demands: Vec<(Id<of::Demand>, usize)>,
    roles: Vec<(&'static str, String)>,
}

impl<'t> Loader<'t> {
    fn new(keshi: &'t Keshi, texts: &'t Texts, password: &'t str) -> anyhow::Result<Self> {
        let steps = texts.organizations.len() + texts.achievements.len() + texts.demands.len();
        let bar = ProgressBar::new(u64::try_from(steps)?);
        bar.set_style(
            ProgressStyle::with_template("{msg:16} [{bar:40}] {pos}/{len} {elapsed}")?
                .progress_chars("=> "),
        );
        Ok(Self {
            keshi,
            texts,
            password,
            // one hash for all: hashing a password takes a tenth of a second on purpose
            hash: Hasher::strong()?.hash(password)?,
            today: Moment::now().day(),
            dice: Dice::new(600),
            bar,
            owners: BTreeMap::new(),
            achievements: BTreeMap::new(),
            demands: Vec::new(),
            roles: Vec::new(),
        })
    }

    fn db(&self) -> &'t Db {
        &self.keshi.db
    }

    /// Organizations of every kind with one person each; operators, an auditor, clerks and brokers.
    fn people(&mut self) -> Result<()> {
        self.bar.set_message("单位与人员");
        let mut serial = 0u32;
        for chunk in self.texts.organizations.chunks(CHUNK) {
            let made = self.db().write_now(|tx| {
                let mut made = Vec::with_capacity(chunk.len());
                for o in chunk {
                    serial += 1;
                    made.push((o.key.clone(), self.organization(tx, o, serial)?));
                }
                Ok(made)
            })?;
            self.bar.inc(u64::try_from(chunk.len()).unwrap_or_default());
            self.owners.extend(made);
        }
        self.platform()?;
        self.clerks_and_brokers()
    }

    fn organization(
        &self,
        tx: &mut Tx<'_>,
        o: &DemoOrganization,
        serial: u32,
    ) -> Result<(Organization, Id<of::Account>)> {
        let new = NewOrganization {
            name: o.name.clone(),
            kind: o.kind,
            uscc: accounts::uscc::fictional(o.kind, &o.region_code, serial),
            region_code: o.region_code.clone(),
        };
        let row = accounts::create_organization(tx, &new, OrganizationState::Verified)?;
        let email = format!("{}@demo.keshi.invalid", login_name(&o.key, serial));
        let account = self.account(tx, &email, &format!("{}联系人", short_name(&o.name)), None)?;
        accounts::add_member(tx, row.id, account, MemberRole::Admin)?;
        Ok((row, account))
    }

    fn account(
        &self,
        tx: &mut Tx<'_>,
        email: &str,
        name: &str,
        platform: Option<PlatformRole>,
    ) -> Result<Id<of::Account>> {
        let new = NewAccount {
            email: email.to_owned(),
            name: name.to_owned(),
            password_hash: self.hash.clone(),
            lang: Lang::Zh,
            verified: true,
            platform: platform.map(|role| (role, home())),
        };
        accounts::create_account(tx, new)
    }

    fn platform(&mut self) -> Result<()> {
        for (role, email, name) in [
            (PlatformRole::Operator, "operator@demo.keshi.invalid", "省级运营人员"),
            (PlatformRole::Auditor, "auditor@demo.keshi.invalid", "审计人员"),
        ] {
            self.db().write_now(|tx| self.account(tx, email, name, Some(role)))?;
            self.roles.push((role.zh(), email.to_owned()));
        }
        for (kind, label) in [
            (OrganizationKind::University, "高校（卖方）"),
            (OrganizationKind::Institute, "科研院所（卖方）"),
            (OrganizationKind::Company, "企业（买方）"),
            (OrganizationKind::Government, "政府部门"),
            (OrganizationKind::Investor, "投资机构"),
        ] {
            if let Some((organization, account)) =
                self.owners.values().find(|(o, _)| o.kind == kind)
                && let Some(person) = self.db().read_now(|conn| accounts::person(conn, *account))?
            {
                self.roles.push((label, format!("{}（{}）", person.email, organization.name)));
            }
        }
        Ok(())
    }

    /// Two clerks for every registrar, because two are needed for one contract; two brokers an agency.
    fn clerks_and_brokers(&mut self) -> Result<()> {
        let of_kind = |kind| -> Vec<Organization> {
            self.owners.values().filter(|(o, _)| o.kind == kind).map(|(o, _)| o.clone()).collect()
        };
        let (registrars, agencies) =
            (of_kind(OrganizationKind::Registrar), of_kind(OrganizationKind::Agency));
        let levels = [BrokerLevel::Junior, BrokerLevel::Intermediate, BrokerLevel::Senior];
        self.db().write_now(|tx| {
            for (n, registrar) in registrars.iter().enumerate() {
                for clerk in ["a", "b"] {
                    let email = format!("clerk{}{clerk}@demo.keshi.invalid", n + 1);
                    let account =
                        self.account(tx, &email, &format!("登记员{}{clerk}", n + 1), None)?;
                    accounts::add_member(tx, registrar.id, account, MemberRole::Member)?;
                }
            }
            for (n, (agency, level)) in
                agencies.iter().flat_map(|a| [a, a]).zip(levels.iter().cycle()).enumerate()
            {
                let email = format!("broker{}@demo.keshi.invalid", n + 1);
                let account = self.account(tx, &email, &format!("技术经理人{}", n + 1), None)?;
                accounts::add_member(tx, agency.id, account, MemberRole::Member)?;
                let profile = BrokerInput {
                    organization_id: None,
                    level: *level,
                    certificate_no: format!("DEMO-{:04}", n + 1),
                    certificate_base: None,
                    issued_on: None,
                    valid_until: None,
                    fields: Field::ALL.iter().copied().skip(n % 8).take(3).collect(),
                    region_codes: vec![agency.region_code.clone()],
                    languages: vec!["zh".into()],
                };
                accounts::create_broker(tx, account, agency.id, profile, BrokerState::Verified)?;
            }
            Ok(())
        })?;
        self.roles.push(("登记员甲", "clerk1a@demo.keshi.invalid".into()));
        self.roles.push(("登记员乙（复核）", "clerk1b@demo.keshi.invalid".into()));
        self.roles.push(("技术经理人", "broker1@demo.keshi.invalid".into()));
        Ok(())
    }
}

impl Loader<'_> {
    /// Everything the universities and institutes offer and the firms ask for, published over the years.
    fn listings(&mut self) -> Result<()> {
        self.bar.set_message("科技成果");
        let sellers = self.drawable(&[
            OrganizationKind::University,
            OrganizationKind::Institute,
            OrganizationKind::Hospital,
        ]);
        let texts = self.texts;
        for chunk in texts.achievements.chunks(CHUNK) {
            let prepared: Vec<_> = chunk
                .iter()
                .map(|a| {
                    (
                        a,
                        self.owner(a.owner.as_deref(), &sellers),
                        self.published(a.published_on.as_deref()),
                    )
                })
                .collect();
            let ids = self.db().write_now(|tx| {
                prepared
                    .iter()
                    .map(|(a, (owner, account), at)| {
                        achievements::create_published(
                            tx,
                            owner,
                            *account,
                            achievement_draft(a),
                            *at,
                        )
                    })
                    .collect::<Result<Vec<_>>>()
            })?;
            for (a, id) in chunk.iter().zip(ids) {
                self.achievements.insert(id.to_string(), a.key.clone());
            }
            self.bar.inc(u64::try_from(chunk.len()).unwrap_or_default());
        }
        self.bar.set_message("技术需求");
        let buyers = self.drawable(&[OrganizationKind::Company]);
        for (first, chunk) in texts.demands.chunks(CHUNK).enumerate() {
            let prepared: Vec<_> = chunk
                .iter()
                .map(|d| {
                    let deadline = self.today
                        + chrono::Days::new(60 + u64::try_from(self.dice.below(300)).unwrap_or(0));
                    (d, self.owner(d.owner.as_deref(), &buyers), self.published(None), deadline)
                })
                .collect();
            let ids = self.db().write_now(|tx| {
                prepared
                    .iter()
                    .map(|(d, (owner, account), at, deadline)| {
                        demands::create_published(
                            tx,
                            owner,
                            *account,
                            demand_draft(d, *deadline),
                            *at,
                        )
                    })
                    .collect::<Result<Vec<_>>>()
            })?;
            self.demands.extend(ids.into_iter().zip(first * CHUNK..));
            self.bar.inc(u64::try_from(chunk.len()).unwrap_or_default());
        }
        Ok(())
    }

    /// Fictional organizations that may own a text which names no owner.
    fn drawable(&self, kinds: &[OrganizationKind]) -> Vec<String> {
        self.owners
            .iter()
            .filter(|(_, (o, _))| kinds.contains(&o.kind))
            .map(|(key, _)| key.clone())
            .collect()
    }

    fn owner(&mut self, named: Option<&str>, drawn: &[String]) -> (Organization, Id<of::Account>) {
        let key = named.or_else(|| self.dice.pick(drawn).map(String::as_str)).unwrap_or_default();
        let any = || self.owners.values().next();
        match self.owners.get(key).or_else(any) {
            Some(found) => found.clone(),
            None => unreachable!("people are loaded before listings"),
        }
    }

    /// On the day the text names, or within the last year; never in the future.
    fn published(&mut self, day: Option<&str>) -> Moment {
        let named = day.and_then(|d| d.parse::<Day>().ok()).filter(|d| *d < self.today);
        let back = chrono::Days::new(1 + u64::try_from(self.dice.below(360)).unwrap_or(0));
        let day = named.unwrap_or(self.today - back);
        Moment::start_of(day).plus_seconds(9 * 3600 + self.dice.between(0, 8 * 3600))
    }

    /// Nine years of registered contracts that add up to the true turnover.
    fn registered(&mut self) -> Result<()> {
        self.bar.set_message("登记合同");
        let sellers = self.at_home(&[
            OrganizationKind::University,
            OrganizationKind::Institute,
            OrganizationKind::Company,
        ]);
        let buyers = self.at_home(&[OrganizationKind::Company]);
        let registrars = self.at_home(&[OrganizationKind::Registrar]);
        for actual in
            insight::actuals()?.into_iter().filter(|a| a.flow == insight::model::Flow::Output)
        {
            if !YEARS.contains(&actual.year) {
                continue;
            }
            let year = i32::try_from(actual.year).unwrap_or_default();
            let sketches = of_year(year, actual.contracts, actual.total_fen, &mut self.dice)?;
            let drafts: Vec<NewRegistered> = sketches
                .into_iter()
                .enumerate()
                .filter_map(|(n, sketch)| self.contract(sketch, n, &sellers, &buyers, &registrars))
                .collect();
            self.db().write_now(|tx| {
                drafts.into_iter().try_for_each(|draft| {
                    contracts::service::load_registered(tx, draft).map(|_| ())
                })
            })?;
        }
        Ok(())
    }

    fn at_home(&self, kinds: &[OrganizationKind]) -> Vec<Organization> {
        let home = home();
        let all = self.owners.values().map(|(o, _)| o);
        all.filter(|o| kinds.contains(&o.kind) && regions::covers(&home, &o.region_code))
            .cloned()
            .collect()
    }

    fn contract(
        &mut self,
        sketch: Sketch,
        n: usize,
        sellers: &[Organization],
        buyers: &[Organization],
        registrars: &[Organization],
    ) -> Option<NewRegistered> {
        let seller = self.dice.pick(sellers)?.clone();
        let others: Vec<&Organization> = buyers.iter().filter(|b| b.id != seller.id).collect();
        let buyer = (*self.dice.pick(&others)?).clone();
        let registrar = registrars
            .iter()
            .filter(|r| regions::covers(&r.region_code, &seller.region_code))
            .max_by_key(|r| r.region_code.city().is_some())?;
        let ip = match sketch.subcategory {
            Subcategory::TrfPatent | Subcategory::LicPatent => IpKind::InventionPatent,
            _ if self.dice.below(2) == 0 => IpKind::TechnicalSecret,
            _ => IpKind::None,
        };
        let lines = sketch.lines.iter().map(|(kind, text, fen)| line(*kind, text, *fen)).collect();
        let signed_on =
            sketch.day - chrono::Days::new(20 + u64::try_from(self.dice.below(25)).unwrap_or(0));
        Some(NewRegistered {
            title: format!(
                "{}领域{}合同（示例 {}-{:03}）",
                sketch.field.zh(),
                sketch.subcategory.zh(),
                chrono::Datelike::year(&sketch.day),
                n + 1
            ),
            subcategory: sketch.subcategory,
            field: sketch.field,
            parties: Parties { seller: party(&seller), buyer: party(&buyer), intermediary: None },
            terms: Terms {
                contract_no: None,
                signed_on,
                effective_on: signed_on,
                valid_to: signed_on + chrono::Months::new(24),
                ip_kinds: vec![ip],
                plan_source: *self.dice.pick(&[
                    PlanSource::None,
                    PlanSource::None,
                    PlanSource::Province,
                    PlanSource::City,
                ])?,
                objective: Objective::Industry,
                industry: "C34".into(),
                payment: Payment::Installments,
                related_party: false,
                cross_border: CrossBorder::None,
                commission: None,
                lines,
            },
            registrar_id: registrar.id,
            registrar_region: registrar.region_code.clone(),
            registered_on: sketch.day,
            at: Moment::start_of(sketch.day).plus_seconds(10 * 3600),
        })
    }

    fn targets(&mut self) -> Result<()> {
        self.bar.set_message("目标指标");
        self.db().write_now(insight::load_shipped_targets)?;
        Ok(())
    }

    /// Seals the history, makes the figures and the index of it, and tells nobody about it by mail.
    fn settle(&mut self) -> Result<()> {
        self.bar.set_message("索引与汇总");
        while journal::seal(self.db())? > 0 {}
        self.db().write_now(notices::pass_over)?;
        Consumers::new(self.keshi)?.settle()?;
        self.bar.finish_and_clear();
        Ok(())
    }

    /// The cross-match of all demands, and the province's targets beside the true figures.
    fn summary(&self, loading: Duration) -> Result<String> {
        let mut out = String::new();
        let texts = self.texts;
        let told = writeln!(
            out,
            "已载入：单位 {} 家，成果 {} 项，需求 {} 项，{} 年登记合同，用时 {:.1} 秒。",
            texts.organizations.len(),
            texts.achievements.len(),
            texts.demands.len(),
            YEARS.count(),
            loading.as_secs_f64()
        );
        debug_assert!(told.is_ok(), "writing to a String cannot fail");
        out.push_str(&self.cross_match()?);
        out.push_str(&self.turnover()?);
        Ok(out)
    }

    fn cross_match(&self) -> Result<String> {
        let started = Instant::now();
        let ids: Vec<Id<of::Demand>> = self.demands.iter().map(|(id, _)| *id).collect();
        let mut rows = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            rows.extend(self.db().read_now(|conn| demands::find_many(conn, chunk))?);
        }
        let by_id: BTreeMap<String, usize> =
            self.demands.iter().map(|(id, n)| (id.to_string(), *n)).collect();
        let lines = discovery::service::cross_match(&self.keshi.catalogue, &rows, 20, Lang::Zh)?;
        let found = lines.iter().filter(|l| !l.items.is_empty()).count();
        let mut ranks: Vec<Option<usize>> = Vec::new();
        for line in &lines {
            let demand =
                by_id.get(&line.demand_id.to_string()).and_then(|n| self.texts.demands.get(*n));
            let best: Vec<&str> = demand
                .into_iter()
                .flat_map(|d| &d.matches)
                .filter(|j| j.grade == 3)
                .map(|j| j.achievement.as_str())
                .collect();
            if best.is_empty() {
                continue;
            }
            let rank = line.items.iter().find(|item| {
                self.achievements
                    .get(&item.achievement_id)
                    .is_some_and(|key| best.contains(&key.as_str()))
            });
            ranks.push(rank.map(|item| item.rank));
        }
        let share = |within: usize| {
            let hits = ranks.iter().flatten().filter(|r| **r <= within).count();
            format!("{hits}（{}%）", hits * 100 / ranks.len().max(1))
        };
        Ok(format!(
            "全量匹配：{} 项需求用时 {:.2} 秒，{found} 项找到合适成果；{} 项有已知答案，其中第 1 位命中 {}，前 5 位 {}，前 20 位 {}。\n",
            lines.len(),
            started.elapsed().as_secs_f64(),
            ranks.len(),
            share(1),
            share(5),
            share(20)
        ))
    }

    fn turnover(&self) -> Result<String> {
        let rows = self.db().read_now(|conn| insight::targets_beside_actuals(conn, &home()))?;
        let mut out = String::from("辽宁省技术合同成交额（目标与实际，亿元）：\n");
        for row in rows {
            out.push_str(&format!("  {row}\n"));
        }
        Ok(out)
    }

    fn logins(&self) -> String {
        let mut out = format!("演示登录（口令均为 {}）：\n", self.password);
        for (role, login) in &self.roles {
            out.push_str(&format!("  {role}  {login}\n"));
        }
        out
    }
}

/// `u01` for keys that ship; a number for owners that came by name.
fn login_name(key: &str, serial: u32) -> String {
    let plain = key.len() <= 4 && key.chars().all(|c| c.is_ascii_alphanumeric());
    if plain { key.to_owned() } else { format!("org{serial}") }
}

fn short_name(name: &str) -> &str {
    name.trim_end_matches("（示例）")
}

fn party(o: &Organization) -> ContractParty {
    ContractParty {
        organization_id: Some(o.id),
        name: o.name.clone(),
        uscc: Some(o.uscc.clone()),
        region_code: o.region_code.clone(),
        party_type: PartyType::of(o.kind),
    }
}

fn line(kind: LineKind, text: &str, fen: i64) -> ContractLine {
    ContractLine { kind, description: text.to_owned(), amount_fen: Fen(fen), quantity: None }
}

/// A word that a variation adds may be there already; a listing takes none twice.
fn keywords(words: &[String]) -> Vec<Keyword> {
    let mut seen = BTreeSet::new();
    words.iter().filter(|word| seen.insert(*word)).cloned().map(Keyword).collect()
}

fn achievement_draft(a: &DemoAchievement) -> AchievementDraft {
    AchievementDraft {
        organization_id: None,
        title: fitting(&a.title, 4, 120),
        abstract_text: fitting(&a.text, 20, 5000),
        keywords: keywords(&a.keywords),
        field: a.field,
        stage: a.stage,
        trl: a.trl,
        ip_kind: a.ip_kind,
        patents: Vec::new(),
        transfer_modes: a.transfer_modes.clone(),
        price_fen: a.price_wan.map(|wan| Fen(wan * FEN_PER_WAN)),
        price_negotiable: a.price_wan.is_none(),
        region_code: None,
        industry: a.industry.clone(),
        chain: None,
        details: None,
        expires_on: None,
    }
}

fn demand_draft(d: &DemoDemand, deadline: Day) -> DemandDraft {
    DemandDraft {
        organization_id: None,
        title: fitting(&d.title, 4, 120),
        description: fitting(&d.text, 20, 5000),
        keywords: keywords(&d.keywords),
        field: d.field,
        kind: d.kind,
        cooperation_modes: d.cooperation_modes.clone(),
        indicators: d.indicators.clone(),
        budget_fen: d.budget_wan.map(|wan| Fen(wan * FEN_PER_WAN)),
        budget_negotiable: d.budget_wan.is_none(),
        deadline: Some(deadline),
        min_trl: d.min_trl,
        region_code: None,
        industry: d.industry.clone(),
        chain: None,
        visibility: Visibility::Public,
        broker_ids: Vec::new(),
    }
}

/// Text of others may be longer or shorter than a listing takes: it is cut, or a full stop row is added.
fn fitting(text: &str, least: usize, most: usize) -> String {
    let clean: String =
        text.trim().chars().filter(|c| !c.is_control() || *c == '\n').take(most).collect();
    let missing = least.saturating_sub(clean.chars().count());
    clean + &"…".repeat(missing)
}

/// A listing as a client would send it, for benchmarks.
pub(super) const LISTING_BODY: &str = r#"{"title":"精炼钢包用低碳镁碳砖","abstract":"碳含量降到百分之四以下时，以纳米炭与原位晶须保持抗热震性，已在钢包渣线试用。","keywords":["镁碳砖","钢包"],"field":"05","stage":"pilot","trl":6,"transfer_modes":["license"],"price_negotiable":true}"#;

/// A market of organizations and people alone.
fn without_listings<T>(
    keshi: &Keshi,
    then: impl FnOnce(&mut Loader<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let password = secret::token()?;
    let texts = Texts {
        organizations: Texts::shipped()?.organizations,
        achievements: Vec::new(),
        demands: Vec::new(),
    };
    let mut loader = Loader::new(keshi, &texts, &password)?;
    loader.people()?;
    then(&mut loader)
}

/// An access token of somebody who may list achievements, in a database that holds nothing else.
pub(super) fn somebody_who_may_list(keshi: &Keshi) -> anyhow::Result<String> {
    let now = Moment::now();
    let (account, session) = without_listings(keshi, |loader| {
        let (_, account) = loader.owner(Some("u01"), &[]);
        let opened = keshi.db.write_now(|tx| accounts::open_session(tx, account))?;
        Ok((account, opened))
    })?;
    Ok(keshi.keys.issue(account, session, now)?)
}

/// The registrars of a market of organizations and people alone, which is made.
pub(super) fn registrars(
    keshi: &Keshi,
) -> anyhow::Result<Vec<(Id<of::Organization>, crate::kernel::Region)>> {
    without_listings(keshi, |loader| {
        loader.settle()?;
        let all = loader.at_home(&[OrganizationKind::Registrar]);
        Ok(all.into_iter().map(|o| (o.id, o.region_code)).collect())
    })
}
/// Any published achievement.
pub(super) fn any_achievement(keshi: &Keshi) -> anyhow::Result<Id<of::Achievement>> {
    let rows = keshi.db.read_now(|conn| achievements::all_published(conn, None, 1))?;
    Ok(rows.first().context("the demo has no achievement")?.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insight::{
        Grids,
        model::{Flow, TurnoverQuery},
        service::turnover::turnover,
    };
    use serde_json::json;

    #[test]
    fn every_year_adds_up_to_the_yearbook_and_both_targets_of_2020_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::for_folder(folder.path(), &secret::token().unwrap()).unwrap();
        crate::kernel::DbConn::open(&config.database_url).unwrap().migrate().unwrap();
        let keshi = Keshi::open(config).unwrap();
        without_listings(&keshi, |loader| {
            loader.registered()?;
            loader.targets()?;
            Ok(loader.settle()?)
        })
        .unwrap();
        let overseer = |conn: &mut crate::kernel::DbConn| {
            let found = accounts::actor_by_email(conn, "operator@demo.keshi.invalid")?;
            Ok(found.unwrap())
        };
        let overseer = keshi.db.read_now(overseer).unwrap();
        let now = Moment::now();
        let mut years = 0;
        for actual in insight::actuals().unwrap() {
            if actual.flow != Flow::Output || !YEARS.contains(&actual.year) {
                continue;
            }
            for by in ["month", "region", "industry"] {
                let query: TurnoverQuery = serde_json::from_value(json!({
                    "region": "210000", "flow": "output", "by": by,
                    "from": format!("{}-01", actual.year), "to": format!("{}-12", actual.year),
                }))
                .unwrap();
                let asked = query.parse(now.day()).unwrap();
                let told = keshi
                    .db
                    .read_now(|conn| turnover(conn, &Grids::default(), Some(&overseer), asked, now))
                    .unwrap();
                assert_eq!(told.total.total_fen, Some(actual.total_fen), "{}", actual.year);
                let rows: i64 = told.rows.iter().filter_map(|row| row.total_fen).sum();
                assert_eq!(rows, actual.total_fen, "{} by {by}", actual.year);
            }
            years += 1;
        }
        assert_eq!(years, 9);
        let told = keshi
            .db
            .read_now(|conn| insight::targets_beside_actuals(conn, &home()))
            .unwrap()
            .join("\n");
        for (target, ratio) in [("800.00", "完成 79.1 %"), ("600.00", "完成 105.5 %")] {
            let line = told.lines().find(|line| line.contains(target)).unwrap();
            assert!(line.contains(ratio) && line.contains("632.81"), "{line}");
        }
        assert_eq!(keshi.db.read_now(insight::verify).unwrap(), Ok(1_541));
    }
}
