"""Contains all the data models used in inputs/outputs"""

from .balance import Balance
from .campaign import Campaign
from .campaign_list import CampaignList
from .cards_within_24h import CardsWithin24H
from .channel import Channel
from .channel_health import ChannelHealth
from .column import Column
from .consent_batch import ConsentBatch
from .consent_grant import ConsentGrant
from .consent_record import ConsentRecord
from .consent_state import ConsentState
from .consent_status import ConsentStatus
from .country import Country
from .country_price import CountryPrice
from .counts import Counts
from .day_counts import DayCounts
from .dead_letter import DeadLetter
from .dead_letter_list import DeadLetterList
from .dead_letter_reason import DeadLetterReason
from .defaults import Defaults
from .dhis_2_attributes import Dhis2Attributes
from .dhis_2_integration import Dhis2Integration
from .dhis_2_integration_patch import Dhis2IntegrationPatch
from .dhis_2_integration_view import Dhis2IntegrationView
from .dhis_2_integration_view_attributes import Dhis2IntegrationViewAttributes
from .distribution import Distribution
from .distribution_by_reason import DistributionByReason
from .distribution_fallback import DistributionFallback
from .distribution_hold import DistributionHold
from .distribution_list import DistributionList
from .distribution_order import DistributionOrder
from .distribution_status import DistributionStatus
from .duplicate import Duplicate
from .duplicate_list import DuplicateList
from .export import Export
from .export_accepted import ExportAccepted
from .export_kind import ExportKind
from .export_order import ExportOrder
from .export_status import ExportStatus
from .fallback import Fallback
from .field_code import FieldCode
from .field_error import FieldError
from .field_error_list import FieldErrorList
from .figures import Figures
from .figures_by_channel import FiguresByChannel
from .gateway_message import GatewayMessage
from .gsm_7_offer import Gsm7Offer
from .health import Health
from .health_check import HealthCheck
from .hold import Hold
from .hold_scope import HoldScope
from .language import Language
from .message import Message
from .message_accepted import MessageAccepted
from .message_list import MessageList
from .message_mode import MessageMode
from .message_order import MessageOrder
from .message_status import MessageStatus
from .openapi_document_response_200 import OpenapiDocumentResponse200
from .phone_order import PhoneOrder
from .preview import Preview
from .preview_invalid import PreviewInvalid
from .preview_order import PreviewOrder
from .preview_valid import PreviewValid
from .price import Price
from .price_patch import PricePatch
from .problem import Problem
from .problem_code import ProblemCode
from .reason import Reason
from .receive_orange_webhook_body import ReceiveOrangeWebhookBody
from .receive_whatsapp_webhook_body import ReceiveWhatsappWebhookBody
from .recipient import Recipient
from .recipient_dhis_2_type_0 import RecipientDhis2Type0
from .recipient_field import RecipientField
from .redrive_all import RedriveAll
from .redrive_some import RedriveSome
from .redriven import Redriven
from .retry_order import RetryOrder
from .sample import Sample
from .sample_list import SampleList
from .schedule import Schedule
from .schedule_mode import ScheduleMode
from .secret import Secret
from .senders import Senders
from .senders_order import SendersOrder
from .sms_encoding import SmsEncoding
from .sms_integration import SmsIntegration
from .sms_integration_patch import SmsIntegrationPatch
from .sms_integration_view import SmsIntegrationView
from .statistics import Statistics
from .statistics_by_country import StatisticsByCountry
from .statistics_by_reason import StatisticsByReason
from .status_reason import StatusReason
from .template import Template
from .template_choice import TemplateChoice
from .template_content import TemplateContent
from .template_list import TemplateList
from .template_origin import TemplateOrigin
from .template_review import TemplateReview
from .template_status import TemplateStatus
from .template_submitted import TemplateSubmitted
from .test_order import TestOrder
from .test_result import TestResult
from .text_content import TextContent
from .text_encoding import TextEncoding
from .unit_prices import UnitPrices
from .unit_prices_order import UnitPricesOrder
from .unit_prices_patch import UnitPricesPatch
from .upload import Upload
from .upload_format import UploadFormat
from .upload_headers import UploadHeaders
from .upload_order import UploadOrder
from .use_case import UseCase
from .via import Via
from .warning import Warning_
from .warning_code import WarningCode
from .whats_app_integration import WhatsAppIntegration
from .whats_app_integration_patch import WhatsAppIntegrationPatch
from .whats_app_integration_view import WhatsAppIntegrationView

__all__ = (
    "Balance",
    "Campaign",
    "CampaignList",
    "CardsWithin24H",
    "Channel",
    "ChannelHealth",
    "Column",
    "ConsentBatch",
    "ConsentGrant",
    "ConsentRecord",
    "ConsentState",
    "ConsentStatus",
    "Country",
    "CountryPrice",
    "Counts",
    "DayCounts",
    "DeadLetter",
    "DeadLetterList",
    "DeadLetterReason",
    "Defaults",
    "Dhis2Attributes",
    "Dhis2Integration",
    "Dhis2IntegrationPatch",
    "Dhis2IntegrationView",
    "Dhis2IntegrationViewAttributes",
    "Distribution",
    "DistributionByReason",
    "DistributionFallback",
    "DistributionHold",
    "DistributionList",
    "DistributionOrder",
    "DistributionStatus",
    "Duplicate",
    "DuplicateList",
    "Export",
    "ExportAccepted",
    "ExportKind",
    "ExportOrder",
    "ExportStatus",
    "Fallback",
    "FieldCode",
    "FieldError",
    "FieldErrorList",
    "Figures",
    "FiguresByChannel",
    "GatewayMessage",
    "Gsm7Offer",
    "Health",
    "HealthCheck",
    "Hold",
    "HoldScope",
    "Language",
    "Message",
    "MessageAccepted",
    "MessageList",
    "MessageMode",
    "MessageOrder",
    "MessageStatus",
    "OpenapiDocumentResponse200",
    "PhoneOrder",
    "Preview",
    "PreviewInvalid",
    "PreviewOrder",
    "PreviewValid",
    "Price",
    "PricePatch",
    "Problem",
    "ProblemCode",
    "Reason",
    "ReceiveOrangeWebhookBody",
    "ReceiveWhatsappWebhookBody",
    "Recipient",
    "RecipientDhis2Type0",
    "RecipientField",
    "RedriveAll",
    "Redriven",
    "RedriveSome",
    "RetryOrder",
    "Sample",
    "SampleList",
    "Schedule",
    "ScheduleMode",
    "Secret",
    "Senders",
    "SendersOrder",
    "SmsEncoding",
    "SmsIntegration",
    "SmsIntegrationPatch",
    "SmsIntegrationView",
    "Statistics",
    "StatisticsByCountry",
    "StatisticsByReason",
    "StatusReason",
    "Template",
    "TemplateChoice",
    "TemplateContent",
    "TemplateList",
    "TemplateOrigin",
    "TemplateReview",
    "TemplateStatus",
    "TemplateSubmitted",
    "TestOrder",
    "TestResult",
    "TextContent",
    "TextEncoding",
    "UnitPrices",
    "UnitPricesOrder",
    "UnitPricesPatch",
    "Upload",
    "UploadFormat",
    "UploadHeaders",
    "UploadOrder",
    "UseCase",
    "Via",
    "Warning_",
    "WarningCode",
    "WhatsAppIntegration",
    "WhatsAppIntegrationPatch",
    "WhatsAppIntegrationView",
)
